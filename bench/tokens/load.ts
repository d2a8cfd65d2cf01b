import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

import type { Contender } from './contender.ts'

export type LoadSettings = { request: Contender['request']; connections: number; seconds: number }

/** Only answers with 2xx count. */
export type LoadResult = { answered: number; refused: number; seconds: number; latencies: number[] }

/** The same bytes for every call: the load shares its core with the database and must cost next to nothing. */
function bytesOf({ url, authorization, body }: Contender['request']): Buffer {
  const { host, pathname } = new URL(url)
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    `authorization: ${authorization}`,
    'content-type: application/x-www-form-urlencoded',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Whether this is a whole answer; one alone is under way on each connection. @throws for one that does not say its length */
function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end < 0) return false
  const head = answer.slice(0, end).toLowerCase()
  const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1]
  if (length !== undefined) return answer.length >= end + 4 + Number(length)
  if (head.includes('\r\ntransfer-encoding: chunked')) return answer.endsWith('\r\n0\r\n\r\n')
  throw new Error(`an answer does not say how long it is: ${head}`)
}

/** @throws where the server hangs up */
function ask(socket: Socket, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const hear = (part: Buffer) => {
      answer += part.toString('latin1')
      if (!isWhole(answer)) return
      socket.off('data', hear).off('close', reject)
      resolve(/^HTTP\/1\.1 2\d\d /.test(answer))
    }
    socket.on('data', hear).once('close', reject)
    socket.write(bytes)
  })
}

async function drive({ request, connections, seconds }: LoadSettings): Promise<LoadResult> {
  const { hostname, port } = new URL(request.url)
  const bytes = bytesOf(request)
  const result: LoadResult = { answered: 0, refused: 0, seconds: 0, latencies: [] }
  const sockets = Array.from({ length: connections }, () => connect({ host: hostname, port: Number(port) }))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const began = performance.now()
  const end = began + seconds * 1_000
  const one = async (socket: Socket) => {
    while (performance.now() < end) {
      const at = performance.now()
      result[(await ask(socket, bytes)) ? 'answered' : 'refused'] += 1
      result.latencies.push(performance.now() - at)
    }
  }
  await Promise.all(sockets.map(one))
  result.seconds = (performance.now() - began) / 1_000
  for (const socket of sockets) socket.destroy()
  return result
}

if (import.meta.main) {
  const settings = JSON.parse(process.argv[2] ?? '{}') as LoadSettings
  process.stdout.write(`${JSON.stringify(await drive(settings))}\n`)
}
