import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { RequestListener, Server } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')

/** Self-made, for `service.example` and `*.wild.example`. */
const cert = fixture('service.cert.pem')

/** Has this process trust the self-made certificate. */
export const trustCertificate = () =>
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), cert])

export type LocalServer = { port: number; server: Server; close: () => Promise<void> }

async function listening(server: Server): Promise<LocalServer> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { port: (server.address() as AddressInfo).port, server, close }
}

export const startHttp = (listener: RequestListener) => listening(http.createServer(listener))

export const startTls = (listener: RequestListener) =>
  listening(https.createServer({ key: fixture('service.key.pem'), cert }, listener))
