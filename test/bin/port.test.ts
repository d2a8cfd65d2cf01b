import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

import { afterEach, describe, expect, test } from 'vitest'

import { assertPortFree, findFreePort, findFreePortFrom, isListening } from '../../bin/embedded/port.ts'

const servers: Server[] = []
afterEach(() => servers.splice(0).forEach((server) => server.close()))

async function occupyPort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('a port', () => {
  test('that was asked for and is busy is refused, with its number and the variable to change', async () => {
    const port = await occupyPort('127.0.0.1')
    await expect(assertPortFree(port, 'PORT')).rejects.toThrow(`port ${port} is busy`)
    await expect(assertPortFree(port, 'PORT')).rejects.toThrow('set PORT')
  })

  test('that is busy on every address is refused too', async () => {
    const port = await occupyPort('0.0.0.0')
    await expect(assertPortFree(port, 'PORT')).rejects.toThrow('busy')
  })

  test('that was used last time is used again if it is free, else another one', async () => {
    const free = await findFreePort()
    expect(free).toBeGreaterThanOrEqual(20_000)
    const busy = await occupyPort('127.0.0.1')
    expect(await findFreePort(busy)).not.toBe(busy)
    expect(await findFreePortFrom(busy)).toBeGreaterThan(busy)
  })

  test('is not handed out twice, though nobody listens there yet', async () => {
    const port = await findFreePort()
    expect(await findFreePortFrom(port)).not.toBe(port)
    expect(await isListening(port)).toBe(false)
  })
})
