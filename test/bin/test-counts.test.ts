import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, inject, test } from 'vitest'

import { projectRoot } from '../../bin/config.ts'
import { makeServerFolder } from '../setup/run-folder.ts'

const config = `export default { test: { include: ['**/*.test.ts'] } }`

/** Runs these test files as `npm test` would, with a configuration that starts no servers. */
function runTests(files: Record<string, string>, ...args: string[]) {
  const root = path.join(makeServerFolder(inject('servers').run_folder), 'tests')
  mkdirSync(root)
  for (const [name, text] of Object.entries({ ...files, 'vitest.config.ts': config })) {
    writeFileSync(
      path.join(root, name),
      text.replace(/^/, "import { beforeAll, expect, test } from 'vitest'\n"),
    )
  }
  const script = path.join(projectRoot, 'bin', 'test.ts')
  const { status, stdout } = spawnSync(process.execPath, [script, '--root', root, ...args], {
    encoding: 'utf8',
  })
  return { status, last: stdout.trimEnd().split('\n').at(-1) }
}

const passing = `test('passes', () => {})\n`

describe('the last line of a test run', () => {
  test('counts what passed, and the run succeeds', () => {
    expect(runTests({ 'a.test.ts': passing, 'b.test.ts': passing })).toEqual({
      status: 0,
      last: '2 passed, 0 failed',
    })
  })

  test('counts what failed and what was skipped, and the run fails', () => {
    const text = `${passing}test('fails', () => expect(1).toBe(2))\ntest.skip('waits', () => {})\n`
    expect(runTests({ 'a.test.ts': text })).toEqual({ status: 1, last: '1 passed, 1 failed, 1 skipped' })
  })

  test('counts a file that does not load as a failed test', () => {
    const broken = `import './nowhere.ts'\n${passing}`
    expect(runTests({ 'a.test.ts': passing, 'b.test.ts': broken })).toEqual({
      status: 1,
      last: '1 passed, 1 failed',
    })
  })

  test('counts a hook that fails, though it has no test of its own', () => {
    const text = `beforeAll(() => { throw new Error('no') })\n${passing}`
    const { status, last } = runTests({ 'a.test.ts': text })
    expect(status).toBe(1)
    expect(last).toMatch(/^0 passed, 1 failed/)
  })

  test('counts an error outside of all tests', () => {
    const text = `${passing}setTimeout(() => { throw new Error('late') }, 0)\ntest('waits', () => new Promise((done) => setTimeout(done, 100)))\n`
    expect(runTests({ 'a.test.ts': text })).toMatchObject({ status: 1, last: '2 passed, 1 failed' })
  })

  test('is a failure when there was nothing to run', () => {
    expect(runTests({ 'a.test.ts': passing }, 'no-such-file')).toMatchObject({ status: 1 })
  })
})
