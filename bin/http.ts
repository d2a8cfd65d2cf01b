import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { getRequestListener } from '@hono/node-server'

export type HttpServer = { port: number; close(): Promise<void> }

type Fetch = (request: Request) => Response | Promise<Response>

/** Listens on the loopback address. Slow senders are cut off; a block approval may take its 33 seconds. */
export async function listen(fetch: Fetch, port: number): Promise<HttpServer> {
  const listener = getRequestListener(fetch)
  const server = http.createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16_384 },
    (request, response) => void listener(request, response),
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const force = setTimeout(() => server.closeAllConnections(), 3_000)
      await closed
      clearTimeout(force)
    },
  }
}
