import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'

import { projectRoot } from '../../bin/config.ts'
import { findFreePort } from '../../bin/embedded/port.ts'
import { stopPostgres } from '../../bin/embedded/postgres.ts'
import { sendSignal, waitUntil } from '../../bin/embedded/process.ts'
import { readRunningServer } from '../../bin/embedded/server-record.ts'
import { stopTemporal } from '../../bin/embedded/temporal.ts'
import { writePrivateFile } from '../../bin/embedded/private-file.ts'
import { findRunningProduct } from '../../bin/startup/run-file.ts'
import { dataFolder, makeServerFolder } from '../setup/run-folder.ts'

type Product = { child: ChildProcess; said: () => string; ended: Promise<number | null> }

const ready = /is ready after/

const start = (env: Record<string, string>) => run('start.ts', env)

function run(program: string, env: Record<string, string>, ...args: string[]): Product {
  const script = path.join(projectRoot, 'bin', program)
  const child = spawn(process.execPath, [script, ...args], { env: { PATH: process.env['PATH'], ...env } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => void (said += text))
  return { child, said: () => said, ended: once(child, 'exit').then(([code]) => code as number | null) }
}

async function untilReady(product: Product): Promise<void> {
  const isSettled = () => ready.test(product.said()) || product.child.exitCode !== null
  await waitUntil(isSettled, { patience_ms: 60_000 })
  expect(product.said()).toMatch(ready)
}

/** A data directory that need not fetch the Temporal CLI again. */
function newDataDirectory(): string {
  const data_dir = makeServerFolder(inject('servers').run_folder)
  symlinkSync(path.join(dataFolder, 'bin'), path.join(data_dir, 'bin'))
  return data_dir
}

describe('a start', () => {
  test('refuses a busy PORT by its number, and begins nothing', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = z.object({ port: z.int() }).parse(server.address())
    const data_dir = newDataDirectory()
    const product = start({ PORT: String(port), DATA_DIR: data_dir })
    expect(await product.ended).toBe(1)
    expect(product.said()).toContain(`port ${port} is busy`)
    expect(existsSync(path.join(data_dir, 'postgres'))).toBe(false)
    server.close()
  })

  test('refuses a bad variable in one line', async () => {
    const product = start({ PORT: 'http', DATA_DIR: newDataDirectory() })
    expect(await product.ended).toBe(1)
    expect(product.said()).toBe('  PORT must be a whole number from 1 to 65535\n')
  })

  test('refuses a database that does not answer without showing its password', async () => {
    const port = await findFreePort()
    const DATABASE_URL = `postgres://someone:hunter2@127.0.0.1:${port}/x`
    const env = { PORT: String(await findFreePort()), DATA_DIR: newDataDirectory() }
    const product = start({ ...env, DATABASE_URL, TEMPORAL_ADDRESS: inject('servers').temporal_address })
    expect(await product.ended).toBe(1)
    expect(product.said()).toContain(`the database at 127.0.0.1:${port} cannot be used`)
    expect(product.said()).not.toContain('hunter2')
  })
})

describe('a product with everything embedded', () => {
  let data_dir: string
  let env: Record<string, string>
  let product: Product
  const postgres = () => readRunningServer(path.join(data_dir, 'postgres'), {})
  const temporal = () => readRunningServer(path.join(data_dir, 'temporal'), {})

  beforeAll(async () => {
    data_dir = newDataDirectory()
    env = { PORT: String(await findFreePort()), DATA_DIR: data_dir }
    product = start(env)
    await untilReady(product)
  })

  afterAll(async () => {
    product.child.kill('SIGKILL')
    await stopTemporal(path.join(data_dir, 'temporal'), 'at_once')
    await stopPostgres(path.join(data_dir, 'postgres'), 'at_once')
  })

  test('tells where it is, and serves there', async () => {
    const url = `http://127.0.0.1:${env['PORT']}`
    expect(product.said()).toContain(`${url}/api/docs`)
    expect(findRunningProduct(data_dir)).toMatchObject({ pid: product.child.pid, url, embedded: true })
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
  })

  test('shows a life in the demo, up to a token without the claim', async () => {
    const demo = run('demo.ts', env)
    expect([await demo.ended, demo.said()]).toEqual([0, expect.stringContaining('The workflow: http')])
    expect(demo.said()).toMatch(/roles: \["db-readonly"\][^]*succeeded[^]*is revoked[^]*roles: null/)
  }, 120_000)

  test('prints a token of an hour for whoever is known, on the embedded database alone', async () => {
    const url = `http://127.0.0.1:${env['PORT']}`
    const print = async (env: Record<string, string>, ...args: string[]) => {
      const command = run('token.ts', env, ...args)
      return [await command.ended, command.said().trim()] as const
    }
    const [code, token] = await print(env, 'Alice@example.com')
    expect(code).toBe(0)
    const { aud, iat = 0, exp = 0 } = decodeJwt(token)
    expect([aud, exp - iat]).toEqual([url, 3_600])
    const me = await fetch(`${url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })
    expect(await me.json()).toMatchObject({ email: 'alice@example.com' })
    const own = newDataDirectory()
    const refusals: [Record<string, string>, string[], string][] = [
      [env, [], 'Usage: npm run -s token -- EMAIL'],
      [env, ['nobody@example.com'], 'There is no active identity nobody@example.com.'],
      [{ DATA_DIR: own }, ['alice@example.com'], 'Hallpass is not running here: start it with npm start.'],
    ]
    for (const [env, args, said] of refusals) expect(await print(env, ...args)).toEqual([1, said])
    const file = readFileSync(path.join(data_dir, 'run.json'), 'utf8')
    writePrivateFile(path.join(own, 'run.json'), file.replace('"embedded": true', '"embedded": false'))
    const said = 'Tokens are printed only where the database is the embedded one.'
    expect(await print({ DATA_DIR: own }, 'alice@example.com')).toEqual([1, said])
  }, 120_000)

  test('keeps what is in its data directory from other users', () => {
    const open = readdirSync(data_dir, { recursive: true, encoding: 'utf8' })
      .filter((name) => !/^(bin|web)\//.test(name)) // programs and pages, which everybody may have
      .filter((name) => statSync(path.join(data_dir, name), { throwIfNoEntry: false })?.isFile())
      .filter((name) => (statSync(path.join(data_dir, name), { throwIfNoEntry: false })?.mode ?? 0) & 0o077)
    expect(open).toEqual([])
  })

  test('is not started a second time on the same data', async () => {
    const second = start({ ...env, PORT: String(await findFreePort()) })
    expect(await second.ended).toBe(1)
    expect(second.said()).toContain(`another copy runs on ${data_dir} (http://127.0.0.1:${env['PORT']})`)
    expect((await fetch(`http://127.0.0.1:${env['PORT']}/readyz`)).status).toBe(200)
  })

  test('that was killed leaves its servers running, and the next start goes on with them', async () => {
    const [oldPostgres, oldTemporal] = [postgres(), temporal()]
    product.child.kill('SIGKILL')
    await product.ended
    expect(findRunningProduct(data_dir)).toBeUndefined()
    product = start(env)
    await untilReady(product)
    expect([postgres(), temporal()]).toEqual([oldPostgres, oldTemporal])
  })

  test('ends with an error that names the server that died, and stops the other one', async () => {
    const server = postgres()
    if (server) sendSignal(server, 'SIGKILL')
    expect(await product.ended).toBe(1)
    expect(product.said()).toContain('PostgreSQL ended by itself; its log is')
    expect([postgres(), temporal()]).toEqual([undefined, undefined])
  })

  test('comes back after everything was killed', async () => {
    product = start(env)
    await untilReady(product)
    for (const server of [postgres(), temporal()]) if (server) sendSignal(server, 'SIGKILL')
    product.child.kill('SIGKILL')
    await product.ended
    product = start(env)
    await untilReady(product)
  })

  test('stops in order at Ctrl-C, which arrives twice, and leaves nothing running', async () => {
    product.child.kill('SIGINT')
    product.child.kill('SIGINT')
    expect(await product.ended).toBe(0)
    expect(product.said()).toContain('stopped in')
    expect([postgres(), temporal(), findRunningProduct(data_dir)]).toEqual([undefined, undefined, undefined])
  })
})
