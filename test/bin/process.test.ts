import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, inject, test } from 'vitest'

import {
  identify,
  lastLines,
  sendSignal,
  startDaemon,
  stopProcess,
  waitUntil,
} from '../../bin/embedded/process.ts'
import { isRunning } from '../../bin/setup/process-identity.mjs'
import { makeServerFolder } from '../setup/run-folder.ts'

const folder = () => makeServerFolder(inject('servers').run_folder)

function startSleeper() {
  const child = spawn('sleep', ['60'])
  const identity = identify(child.pid ?? 0)
  if (!identity) throw new Error('sleep did not start')
  return { child, identity }
}

describe('a process', () => {
  test('is the same one as long as it runs, and none once it has ended', async () => {
    const { child, identity } = startSleeper()
    expect(identify(identity.pid)).toEqual(identity)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isRunning(identity)).toBe(false)
    expect(identify(identity.pid)).toBeUndefined()
  })

  test('is not taken for an earlier one that had its id', () => {
    const { child, identity } = startSleeper()
    const earlier = { ...identity, born: 'long ago' }
    expect(isRunning(earlier)).toBe(false)
    expect(sendSignal(earlier, 'SIGKILL')).toBe(false)
    expect(isRunning(identity)).toBe(true)
    child.kill('SIGKILL')
  })

  test('that ignores the first signal gets the next', async () => {
    const script = 'trap "" TERM; echo deaf; while true; do sleep 0.1; done'
    const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(child.stdout, 'data')
    const identity = identify(child.pid ?? 0)
    if (!identity) throw new Error('bash did not start')
    await stopProcess(identity, [
      { signal: 'SIGTERM', patience_ms: 200 },
      { signal: 'SIGKILL', patience_ms: 5000 },
    ])
    expect(isRunning(identity)).toBe(false)
  })
})

describe('a daemon', () => {
  test('writes to its log, keeps the last log, and learns nothing of our environment', async () => {
    process.env['HALLPASS_TEST_SECRET'] = 'hunter2'
    const log_file = path.join(folder(), 'daemon.log')
    for (const word of ['first', 'second']) {
      const identity = await startDaemon({ program: '/bin/sh', args: ['-c', `echo ${word}; env`], log_file })
      await waitUntil(() => !isRunning(identity), { patience_ms: 5000 })
    }
    expect(readFileSync(log_file, 'utf8')).toMatch(/^second/)
    expect(readFileSync(`${log_file}.1`, 'utf8')).toMatch(/^first/)
    expect(lastLines(log_file, 1000)).not.toContain('hunter2')
  })

  test('of a program that is not there is an error, not a process', async () => {
    const log_file = path.join(folder(), 'daemon.log')
    await expect(startDaemon({ program: '/nowhere/program', args: [], log_file })).rejects.toThrow('ENOENT')
  })
})

describe('waiting', () => {
  test('ends with false when the time is over, and with an error when it is aborted', async () => {
    expect(await waitUntil(() => existsSync('/nowhere'), { patience_ms: 60 })).toBe(false)
    const signal = AbortSignal.timeout(50)
    await expect(waitUntil(() => false, { patience_ms: 10_000, signal })).rejects.toThrow('abort')
  })
})
