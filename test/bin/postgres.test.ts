import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, inject, onTestFinished, test } from 'vitest'

import { startPostgres, stopPostgres } from '../../bin/embedded/postgres.ts'
import { layOutPostgres } from '../../bin/embedded/postgres-files.ts'
import { ProcessIdentity, sendSignal, stopProcess } from '../../bin/embedded/process.ts'
import { isRunning } from '../../bin/setup/process-identity.mjs'
import { connect } from '../../db/client.ts'
import { databaseUrl } from '../setup/database-url.ts'
import { makeServerFolder } from '../setup/run-folder.ts'

const killed = [{ signal: 'SIGKILL', patience_ms: 5000 }] as const

function newFolder(): string {
  const directory = path.join(makeServerFolder(inject('servers').run_folder), 'postgres')
  onTestFinished(() => stopPostgres(directory, 'at_once'))
  return directory
}

/** PostgreSQL's own folder, which is elsewhere when its user may not pass to this one. */
function clusterOf(directory: string): string {
  return layOutPostgres(directory, () => {}).cluster
}

async function start(directory: string) {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const signal = AbortSignal.timeout(60_000)
  return { ...(await startPostgres({ directory, no_sync: true, say, signal })), lines }
}

async function query(url: string): Promise<string> {
  const sql = connect(url, { max: 1 })
  try {
    const found = await sql<{ name: string }[]>`select current_database() as name`
    return found[0]?.name ?? ''
  } finally {
    await sql.end()
  }
}

async function startInAnotherProcess(directory: string) {
  const fixture = path.join(import.meta.dirname, 'fixtures', 'hold-postgres.ts')
  const child = spawn(process.execPath, [fixture, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  return { child, identity: ProcessIdentity.parse(JSON.parse(String(line))) }
}

describe('the embedded PostgreSQL', () => {
  test('refuses a wrong password, and keeps its own where only its owner can read it', async () => {
    const directory = newFolder()
    const { url } = await start(directory)
    expect(await query(url)).toBe('hallpass')
    await expect(query(url.replace(/:[^:@]+@/, ':guess@'))).rejects.toThrow('password')
    expect(statSync(path.join(directory, 'password')).mode & 0o077).toBe(0)
  })

  test('is adopted when the process that started it was killed', async () => {
    const directory = newFolder()
    const { child, identity } = await startInAnotherProcess(directory)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const again = await start(directory)
    expect(again.adopted).toBe(true)
    expect(again.identity).toEqual(identity)
    expect(await query(again.url)).toBe('hallpass')
  })

  test('is found by its own pid file when nothing was noted about it', async () => {
    const directory = newFolder()
    const first = await start(directory)
    rmSync(path.join(directory, 'process.json'))
    const again = await start(directory)
    expect(again.adopted).toBe(true)
    expect(again.identity).toEqual(first.identity)
  })

  test('is replaced, not adopted, when it does not answer', async () => {
    const directory = newFolder()
    const { identity } = await start(directory)
    sendSignal(identity, 'SIGSTOP')
    const again = await start(directory)
    expect(again.adopted).toBe(false)
    expect(again.lines).toEqual([expect.stringContaining('does not answer')])
    expect(isRunning(identity)).toBe(false)
  })

  test('starts after a kill, though its pid file names a process that lives', async () => {
    const directory = newFolder()
    const { identity } = await start(directory)
    await stopProcess(identity, killed)
    const file = path.join(clusterOf(directory), 'postmaster.pid')
    const lines = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, [process.ppid, ...lines.slice(1)].join('\n'))
    const again = await start(directory)
    expect(again.adopted).toBe(false)
    expect(await query(again.url)).toBe('hallpass')
  })

  test('keeps its data and its port over a stop', async () => {
    const directory = newFolder()
    const first = await start(directory)
    const sql = connect(first.url, { max: 1 })
    await sql`create table kept as select 1 as one`
    await sql.end()
    await stopPostgres(directory, 'orderly')
    const again = await start(directory)
    expect(again.url).toBe(first.url)
    const reader = connect(again.url, { max: 1 })
    expect(await reader`select one from kept`).toEqual([{ one: 1 }])
    await reader.end()
  })

  test('is made anew when making it was interrupted', async () => {
    const directory = newFolder()
    const unfinished = `${clusterOf(directory)}.new-dead`
    mkdirSync(path.join(unfinished, 'base'), { recursive: true })
    writeFileSync(path.join(unfinished, 'PG_VERSION'), '18\n')
    writeFileSync(path.join(directory, 'password'), 'of the interrupted attempt')
    expect(await query((await start(directory)).url)).toBe('hallpass')
    expect(existsSync(unfinished)).toBe(false)
  })

  test('is not made at all when the start is called off', async () => {
    const directory = newFolder()
    const signal = AbortSignal.timeout(200)
    await expect(startPostgres({ directory, say: () => {}, signal })).rejects.toThrow()
    expect(existsSync(clusterOf(directory))).toBe(false)
  })

  test('refuses a port that somebody else has', async () => {
    const directory = newFolder()
    const port = Number(new URL(inject('servers').database_url).port)
    const signal = AbortSignal.timeout(60_000)
    const attempt = startPostgres({ directory, port, no_sync: true, say: () => {}, signal })
    await expect(attempt).rejects.toThrow(`port ${port} is busy: stop what uses it, or set POSTGRES_PORT`)
  })

  test('does not take the server of another folder for its own', async () => {
    const directory = newFolder()
    const other = newFolder()
    const { url } = await start(directory)
    const second = await start(other)
    expect(second.adopted).toBe(false)
    expect(second.url).not.toBe(url)
    const guessed = databaseUrl(second.url, 'hallpass').replace(/:\d+\//, `:${new URL(url).port}/`)
    await expect(query(guessed)).rejects.toThrow('password')
  })
})
