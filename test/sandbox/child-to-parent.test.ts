import { fileURLToPath } from 'node:url'

import { afterEach, describe, expect, it } from 'vitest'

import { openSandbox } from './harness.ts'

const complaints: string[] = []
let calls = 0
const handlers = {
  'idp.getAccessRequest': async () => {
    calls += 1
    return {}
  },
}
const { run } = await openSandbox({
  pool_size: 2,
  program: fileURLToPath(new URL('./fixtures/impostor.cjs', import.meta.url)),
  report: (complaint) => complaints.push(complaint),
})

const attack = (name: string, deadline_ms = 10_000) => run(name, { handlers, deadline_ms })

afterEach(async () => {
  calls = 0
  expect(await attack('done twice')).toMatchObject({ result: 'forged' })
})

describe('a child that was taken over is killed', () => {
  it.each([
    'not json',
    'not an object',
    'half a character',
    'a huge frame',
    'a frame just too large',
    'ready again',
    'an unknown message',
    'a message of Node',
    'an unknown call',
    'a call to what every object has',
    'a call to its prototype',
    'a call without a list',
    'a call with a broken id',
    'a call nested without end',
    'a time that no run takes',
    'an error of a megabyte',
    'a field too many',
    'a field too few',
    'a prototype',
    'an end that is not its to tell',
    'a log line of another level',
    'a flood without meaning',
  ])('when it sends %s', async (name) => {
    expect(await attack(name)).toMatchObject({ status: 'failed', ended_by: 'killed', result: null })
    expect(calls).toBe(0)
    expect({}).not.toHaveProperty('polluted')
  })

  it.each([
    ['too long a log line', 'output'],
    ['too many log lines', 'output'],
    ['too large a result', 'output'],
    ['too many calls', 'host_call'],
    ['too many http calls', 'host_call'],
    ['too much sent', 'host_call'],
  ])('when it sends %s, which ends as %s', async (name, ended_by) => {
    expect(await attack(name)).toMatchObject({ status: 'failed', ended_by, result: null })
  })

  it.each(['a frame that never ends', 'a closed pipe', 'a flood of complaints'])(
    'at its deadline when it sends %s',
    async (name) => {
      const result = await attack(name, 1_500)
      expect(['wall', 'cpu']).toContain(result.ended_by)
      expect(result.duration_ms).toBeLessThan(6_000)
    },
  )
})

describe('a child that was taken over', () => {
  it('has no second word after done (reply-after-done, two-done-frames)', async () => {
    expect(await attack('done twice')).toMatchObject({ result: 'forged' })
    expect(await attack('calls after done')).toMatchObject({ result: 'forged' })
    expect(calls).toBe(0)
  })

  it.each(['an exit', 'an abort'])(
    'that ends itself by %s is told as crashed, to the operator with its last words',
    async (name) => {
      complaints.length = 0
      const { ended_by, error } = await attack(name)
      expect(ended_by).toBe('crashed')
      expect(error).toEqual({
        message: 'The process that ran the script ended unexpectedly.',
        line: null,
        column: null,
      })
      expect(complaints).toEqual([expect.stringMatching(/^a script process crashed: /)])
    },
  )
})
