import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { afterAll, describe, expect, it, onTestFinished } from 'vitest'

import { type Level, levels, missingWalls, nextUserId } from '../../sandbox/walls/levels.ts'
import { launch } from '../../sandbox/walls/walled-process.ts'
import { openSandbox } from './harness.ts'

const fixture = (file: string) => fileURLToPath(new URL(`./fixtures/${file}`, import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'walls-'))
const secretFile = join(folder, 'secret')
writeFileSync(secretFile, 'the secret of the product', { mode: 0o600 })
const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
const port = await new Promise<number>((resolve) => {
  server.on('listening', () => {
    const address = server.address()
    resolve(typeof address === 'object' && address !== null ? address.port : 0)
  })
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

type Found = Record<string, string>

/** What a process finds that has the walls of a level around it but is held by neither Node nor an isolate; null: no such level here. */
async function lookAround(level: Level): Promise<Found | null> {
  const cell = { user_id: nextUserId(), data_bytes: 440 * 1024 * 1024, cpu_seconds: 10 }
  const command = [
    process.execPath,
    '--jitless',
    fixture('prisoner.cjs'),
    String(process.pid),
    String(port),
    secretFile,
  ]
  const prisoner = launch({ level, cell, command })
  const answer = await text(prisoner.stdout)
  await prisoner.exited
  return answer === '' ? null : JSON.parse(answer)
}

const views = await Promise.all(levels.map(async (level) => ({ ...level, found: await lookAround(level) })))

// What a wall hides must show where the wall is missing: otherwise the look proves nothing.
describe.each(views)('around a process that only the walls of level $name hold', ({ walls, found }) => {
  const isUp = (wall: string) => walls.includes(wall)
  const behind = isUp('process namespace') ? 'namespace' : isUp('own user id') ? 'user' : 'nothing'
  const test = it.skipIf(found === null)

  test('there is no environment and no folder (env-empty)', () => {
    expect(found).toMatchObject({ environment: '{}', folder: '/' })
  })

  test('the product and its environment are as visible as its walls say (proc-parent-environ)', () => {
    const expected = {
      namespace: { parentEnvironment: 'ENOENT', killParent: 'ESRCH' },
      user: { parentEnvironment: 'EACCES', killParent: 'EPERM' },
      nothing: { parentEnvironment: expect.stringContaining('PATH='), killParent: 'true' },
    }
    expect(found).toMatchObject(expected[behind])
  })

  test('the network is there only without a network namespace (no-network)', () => {
    if (!isUp('network namespace')) return expect(found?.['network']).toBe('connected')
    expect(found?.['interfaces']).toBe('0')
    expect(['ENETUNREACH', 'ECONNREFUSED', 'EADDRNOTAVAIL']).toContain(found?.['network'])
  })

  test('the files of the product open only to its own user (read-passwd)', () => {
    expect(found?.['secretFile']).toBe(isUp('own user id') ? 'EACCES' : 'the secret of the product')
  })

  test('no privilege can be used or gained', () => {
    if (!isUp('no privileges, ends with the product')) return
    expect(found?.['setuidProgram']).not.toContain('uid=')
    if (!isUp('own user id') && !isUp('user namespace')) return
    expect(Number.parseInt(String(found?.['capabilities']), 16)).toBe(0)
    expect(found?.['becomeRoot']).toMatch(/^E(PERM|INVAL)$/)
  })

  test('processes cannot be multiplied by a user of its own', () => {
    if (!isUp('own user id')) return expect(Number(found?.['processes'])).toBeGreaterThan(0)
    expect(Number(found?.['processes'])).toBeLessThan(64)
  })

  test('memory and files are as limited as its walls say', () => {
    if (!isUp('resource limits')) return expect(found?.['memory']).toBe('900000000')
    expect(found?.['write']).toMatch(/^E(FBIG|ACCES|PERM)$/)
    expect(found?.['memory']).toMatch(/allocation failed|out of memory|ERR_MEMORY/i)
  })
})

describe('a child', () => {
  it('cannot read, write, spawn or load anything by Node’s own hand (read-passwd, spawn-denied)', async () => {
    const taken = await openSandbox({ program: fixture('held.cjs') }, onTestFinished)
    const { result } = await taken.runBody('')
    expect(JSON.parse(result ?? '')).toEqual({
      read: 'ERR_ACCESS_DENIED',
      write: 'ERR_ACCESS_DENIED',
      spawn: 'ERR_ACCESS_DENIED',
      worker: 'ERR_ACCESS_DENIED',
      environment: '{}',
      folder: '/',
      proto: 'undefined',
      wasm: 'undefined',
    })
  })

  it('ends when the product is killed, also in the middle of a loop (orphan-dies-with-parent)', async () => {
    const marker = 50_000_000 + process.pid
    const running = () => processes().filter(({ line }) => line.includes(`"cpu_ms":${marker}`)).length
    const product = spawn(process.execPath, [fixture('jailer.ts'), String(marker)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => product.stdout.once('data', resolve))
    expect(running()).toBeGreaterThan(0)
    product.kill('SIGKILL')
    await expect.poll(running, { timeout: 3_000 }).toBe(0)
  })

  it('steps back for the product, unless somebody waits for it', async () => {
    const marker = 70_000_000 + process.pid
    const { runBody } = await openSandbox({ limits: { reply_bytes: marker } }, onTestFinished)
    await Promise.all([runBody('return "x"'), runBody('return "x"', { lane: 'block' })])
    const waiting = () => processes().filter(({ line }) => line.includes(`"reply_bytes":${marker}`))
    const nicenesses = () =>
      waiting().map(({ pid }) => Number(readQuietly(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[16]))
    await expect
      .poll(() => [...new Set(nicenesses())].toSorted((a, b) => a - b), { timeout: 5_000 })
      .toEqual([0, 10])
    const groups = waiting().map(({ pid }) => /nice (\d+)/.exec(readQuietly(`/proc/${pid}/autogroup`))?.[1])
    expect([[], ['0', '10']]).toContainEqual(
      [...new Set(groups)].filter((each) => each !== undefined).toSorted(),
    )
  })

  it('that dies while it waits is replaced', async () => {
    const marker = 60_000_000 + process.pid
    const { runBody } = await openSandbox({ pool_size: 2, limits: { reply_bytes: marker } }, onTestFinished)
    await runBody('return "warm"')
    const waiting = processes().filter(({ line }) => line.includes(`"reply_bytes":${marker}`))
    expect(waiting.length).toBeGreaterThan(0)
    for (const { pid } of waiting) process.kill(pid, 'SIGKILL')
    const areGone = () => waiting.every(({ pid }) => readQuietly(`/proc/${pid}/stat`) === '')
    await expect.poll(areGone, { timeout: 5_000, interval: 200 }).toBe(true)
    for (const result of ['a', 'b', 'c'])
      expect(await runBody(`return "${result}"`)).toMatchObject({ result })
  })

  it('ends when the sandbox is closed, with the run that it serves', async () => {
    const other = await openSandbox({}, onTestFinished)
    const run = other.runBody('for (;;);')
    await new Promise((resolve) => setTimeout(resolve, 100))
    await other.sandbox.close()
    expect(await run).toMatchObject({ ended_by: 'cancelled' })
    expect(await other.runBody('return "x"')).toMatchObject({ ended_by: 'cancelled' })
  })
})

describe('a lower level', () => {
  it.each(levels.map((each) => each.name))(
    '%s holds a script by what it has, or is not offered',
    async (lower) => {
      const only = levels.filter((each) => each.name === lower)
      const opened = await openSandbox(
        { levels: only, pool_size: 0, limits: { slice_ms: 300 } },
        onTestFinished,
      ).catch((error: Error) => error.message)
      if (typeof opened === 'string')
        return expect(opened).toContain(`scripts cannot run on this machine; ${lower}: `)
      expect(opened.sandbox.level()).toEqual({
        name: lower,
        minimum: 'process',
        walls: only[0]?.walls,
        missing: only.flatMap(missingWalls),
        block_refusal: null,
      })
      expect(await opened.runBody('for (;;);')).toMatchObject({ ended_by: 'slice' })
      expect(await opened.runBody('for (;;);', { deadline_ms: 600, code: 'for(;;);' })).toMatchObject({
        status: 'failed',
      })
      expect(await opened.runBody('return [..."x".repeat(2 ** 28)].length')).toMatchObject({
        status: 'failed',
      })
      await opened.expectNextRunToWork()
    },
  )
})

it('the level of a sandbox is the strongest that works here', async () => {
  const { sandbox } = await openSandbox({ pool_size: 0 }, onTestFinished)
  expect(sandbox.level().name).toBe(views.find(({ found }) => found !== null)?.name)
})

function processes(): { pid: number; line: string }[] {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
  return pids.map((pid) => ({ pid, line: readQuietly(`/proc/${pid}/cmdline`) }))
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
