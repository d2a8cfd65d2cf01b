import { Agent, request as send } from 'node:http'

import type { Contender } from './contender.ts'

export type LoadSettings = { request: Contender['request']; connections: number; seconds: number }

/** Only answers with 2xx count. */
export type LoadResult = { answered: number; refused: number; seconds: number; latencies: number[] }

function ask(agent: Agent, { url, authorization, body }: Contender['request']): Promise<boolean> {
  const headers = {
    authorization,
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const sent = send(url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve((answer.statusCode ?? 500) < 300))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function drive({ request, connections, seconds }: LoadSettings): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const result: LoadResult = { answered: 0, refused: 0, seconds: 0, latencies: [] }
  const began = performance.now()
  const end = began + seconds * 1_000
  const one = async () => {
    while (performance.now() < end) {
      const at = performance.now()
      const isAnswered = await ask(agent, request).catch(() => false)
      result[isAnswered ? 'answered' : 'refused'] += 1
      result.latencies.push(performance.now() - at)
    }
  }
  await Promise.all(Array.from({ length: connections }, one))
  result.seconds = (performance.now() - began) / 1_000
  agent.destroy()
  return result
}

if (import.meta.main) {
  const settings = JSON.parse(process.argv[2] ?? '{}') as LoadSettings
  process.stdout.write(`${JSON.stringify(await drive(settings))}\n`)
}
