import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'

import { startHttp } from '../egress/servers.ts'

/** A call that was passed on, and the status that the product answered. */
export type Passed = { method: string; path: string; status: number }

/** What is given back instead of the product's answer; undefined: that answer. */
export type Rule = (passed: Passed) => { status: number; page: string } | undefined

export type Proxy = {
  url: string
  passed: Passed[]
  /** What it does from now on. */
  follow: (rule: Rule) => void
  close: () => Promise<void>
}

export const honest: Rule = () => undefined

/** As many proxies do: compresses for whoever takes that, and weakens the entity tag of what it compressed. */
function give(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const takesGzip = /gzip/.test(request.headers['accept-encoding'] ?? '')
  const etag = response.getHeader('etag')
  if (takesGzip && etag) response.setHeader('etag', `W/${String(etag)}`)
  if (takesGzip) response.setHeader('content-encoding', 'gzip')
  response.end(takesGzip ? gzipSync(body) : body)
}

function passOn(
  product: string,
  request: IncomingMessage,
): Promise<{ answer: IncomingMessage; body: Buffer }> {
  const { method, url, headers } = request
  return new Promise((resolve, reject) => {
    const onward = http.request(new URL(url ?? '/', product), { method, headers }, (answer) => {
      buffer(answer).then((body) => resolve({ answer, body }), reject)
    })
    onward.on('error', reject)
    request.pipe(onward)
  })
}

export async function openProxy(product: string): Promise<Proxy> {
  let rule = honest
  const passed: Passed[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const { answer, body } = await passOn(product, request)
    const call = { method: request.method ?? '', path: request.url ?? '', status: answer.statusCode ?? 0 }
    passed.push(call)
    const instead = rule(call)
    response.statusCode = instead?.status ?? call.status
    for (const name of ['content-type', 'etag', 'retry-after'])
      if (answer.headers[name] && !instead) response.setHeader(name, answer.headers[name])
    give(request, response, instead ? Buffer.from(instead.page) : body)
  }
  const { port, close } = await startHttp((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  return { url: `http://127.0.0.1:${port}`, passed, follow: (next) => (rule = next), close }
}
