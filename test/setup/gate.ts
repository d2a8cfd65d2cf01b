import type { ServerResponse } from 'node:http'

import { startHttp } from '../egress/servers.ts'

/** A service that keeps every caller waiting until it is opened. */
export type Gate = { host: string; script: string; open: () => void; close: () => Promise<void> }

/** `script` waits at the gate for at most some minutes; it needs `host` among its egress_hosts, and a long timeout. */
export async function startGate(): Promise<Gate> {
  const waiting: ServerResponse[] = []
  let isOpen = false
  const { port, close } = await startHttp((_, response) => {
    if (isOpen) response.end('open')
    else waiting.push(response)
  })
  const host = `localhost:${port}`
  return {
    host,
    script: `export async function run() { for (;;) try { return (await http.get('http://${host}/')).body } catch (error) { if (!error.message.includes('did not answer')) throw error } }`,
    open: () => {
      isOpen = true
      waiting.splice(0).forEach((response) => response.end('open'))
    },
    close,
  }
}
