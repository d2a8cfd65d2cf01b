import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

import { describe, expect, inject, test } from 'vitest'

import { lockDirectory } from '../../bin/embedded/directory-lock.ts'
import { makeServerFolder } from '../setup/run-folder.ts'

async function holdInAnotherProcess(lock_file: string): Promise<ChildProcess> {
  const fixture = path.join(import.meta.dirname, 'fixtures', 'hold-lock.ts')
  const child = spawn(process.execPath, [fixture, lock_file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [answer] = await once(child.stdout, 'data')
  expect(String(answer)).toBe('true\n')
  return child
}

describe('the lock of a data directory', () => {
  test('is refused to a second process, also after a garbage collection in the first', async () => {
    const lock_file = path.join(makeServerFolder(inject('servers').run_folder), 'lock')
    const holder = await holdInAnotherProcess(lock_file)
    expect(lockDirectory(lock_file)).toBe(false)
    expect(lockDirectory(lock_file)).toBe(false)
    holder.kill('SIGKILL')
  })

  test('is free again when its holder was killed', async () => {
    const lock_file = path.join(makeServerFolder(inject('servers').run_folder), 'lock')
    const holder = await holdInAnotherProcess(lock_file)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect(lockDirectory(lock_file)).toBe(true)
  })
})
