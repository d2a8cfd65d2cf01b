import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, inject, test } from 'vitest'

import { fetchTemporalCli, type TemporalSource } from '../../bin/embedded/temporal-cli.ts'
import { makeServerFolder } from '../setup/run-folder.ts'

const program = '#!/bin/sh\necho temporal\n'
const checksum = createHash('sha256').update(program).digest('hex')

const bringing = (name: string, content: string): TemporalSource => ({
  name,
  fetch: (folder) => {
    const file = path.join(folder, 'temporal')
    writeFileSync(file, content)
    return Promise.resolve(file)
  },
})

const failing: TemporalSource = {
  name: 'nowhere',
  fetch: () => Promise.reject(new Error('no answer in time')),
}

function attempt(sources: TemporalSource[], signal = AbortSignal.timeout(10_000)) {
  const bin_folder = makeServerFolder(inject('servers').run_folder)
  const target = path.join(bin_folder, 'temporal-1.9.1')
  return {
    bin_folder,
    target,
    result: fetchTemporalCli({ target, checksum, sources, say: () => {}, signal }),
  }
}

describe('the Temporal CLI', () => {
  test('is put in place, ready to run, when its checksum is the pinned one', async () => {
    const { target, result } = attempt([bringing('here', program)])
    expect(await result).toBe(target)
    expect(readFileSync(target, 'utf8')).toBe(program)
    expect(statSync(target).mode & 0o100).not.toBe(0)
  })

  test('comes from the next source when one does not answer or brings something else', async () => {
    const { target, result } = attempt([failing, bringing('there', 'malware'), bringing('here', program)])
    await result
    expect(readFileSync(target, 'utf8')).toBe(program)
  })

  test('is refused when its checksum differs, and nothing of it stays', async () => {
    const { bin_folder, target, result } = attempt([bringing('there', `${program}# and more`)])
    await expect(result).rejects.toThrow(/there: the program's SHA-256 is [\da-f]{64}, not /)
    expect(existsSync(target)).toBe(false)
    expect(readdirSync(bin_folder)).toEqual([])
  })

  test('that cannot be had is an error that names each source and what to do', async () => {
    const { result } = attempt([failing, bringing('there', 'malware')])
    await expect(result).rejects.toThrow(/nowhere: no answer in time; there: .*PATH.*TEMPORAL_ADDRESS/)
  })

  test('is not looked for any further when the start is called off', async () => {
    const { target, result } = attempt(
      [failing, bringing('here', program)],
      AbortSignal.abort(new Error('off')),
    )
    await expect(result).rejects.toThrow('off')
    expect(existsSync(target)).toBe(false)
  })
})
