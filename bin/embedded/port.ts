import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

/** A port that the operator asked for is taken. */
export class PortBusyError extends Error {
  constructor(port: number, variable: string) {
    super(`port ${port} is busy: stop what uses it, or set ${variable} to another one`)
  }
}

/** Ports handed out by this process, which their servers may not have taken yet. */
const promised = new Set<number>()

/** Ports below those that systems give to outgoing connections, so that a server finds its own free when it returns. */
const firstPort = 20_000
const lastPort = 31_999

/** The preferred port if it is free (that of the last run, say), else a free one from anywhere in the range. */
export async function findFreePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred, '127.0.0.1'))) return preferred
  return findFreePortFrom(randomInt(firstPort, lastPort))
}

/** The first free port from this one on. */
export async function findFreePortFrom(start: number): Promise<number> {
  for (const port of Array.from({ length: 500 }, (_, index) => start + index)) {
    if (promised.has(port) || !(await isPortFree(port, '127.0.0.1'))) continue
    promised.add(port)
    return port
  }
  throw new Error(`no free port from ${start} on`)
}

/** Refuses a busy port that was asked for by name. */
export async function assertPortFree(port: number, variable: string): Promise<void> {
  const isFree = (await isPortFree(port, '127.0.0.1')) && (await isPortFree(port))
  if (!isFree) throw new PortBusyError(port, variable)
}

/** Without a host: free on every address. */
function isPortFree(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whether anything takes connections on this port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1000 })
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
    socket.once('timeout', () => settle(false))
  })
}
