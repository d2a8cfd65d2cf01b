import { describe, expect, it, onTestFinished } from 'vitest'

import { openSandbox } from './harness.ts'

const limits = { slice_ms: 300, cpu_ms: 900, host_call_ms: 400 }
const { run, runBody, expectNextRunToWork } = await openSandbox({ pool_size: 2, limits })

const answers = { 'idp.getAccessRequest': async () => ({ id: 'r1' }) }

/** Runs an attack on time, expects one of the ends in well under its deadline, and the sandbox to be whole afterwards. */
async function expectEnd(body: string, ...ends: string[]) {
  const result = await runBody(body, { handlers: answers, deadline_ms: 4_000 })
  expect(ends).toContain(result.ended_by)
  expect(result.duration_ms).toBeLessThan(6_000)
  await expectNextRunToWork()
  return result
}

describe('a script that keeps the processor is ended', () => {
  it('in a loop (sync-loop), at the line of the loop', async () => {
    const result = await run('export function run() {\n  let i = 0\n  for (;;) i += 1\n}')
    expect(result).toMatchObject({ status: 'failed', ended_by: 'slice', error: { line: 3 } })
    expect(result.error?.message).toContain('longer than one stretch')
    await expectNextRunToWork()
  })

  it('in a loop at its top level (top-level-loop)', async () => {
    expect(await run('for (;;);\nexport const run = 1')).toMatchObject({
      ended_by: 'slice',
      error: { line: 1 },
    })
    await expectNextRunToWork()
  })

  it('in microtasks that never run out (microtask-loop)', async () => {
    await expectEnd('const again = () => Promise.resolve().then(again); await again()', 'slice', 'memory')
  })

  it('in promises that create promises (promise-recursion)', async () => {
    await expectEnd(
      'const again = async () => { await null; return again() }; await again()',
      'slice',
      'memory',
    )
  })

  it('in a loop after an answer of the host (loop-after-host-reply)', async () => {
    await expectEnd("await idp.getAccessRequest('r1'); for (;;);", 'slice')
  })

  it('in the message of what it throws (message-getter-throw)', async () => {
    await expectEnd('throw { get message() { for (;;); } }', 'slice')
    await expectEnd('throw Object.defineProperty(new Error("x"), "stack", { get() { for (;;); } })', 'slice')
  })

  it('in the stack of what it rejects without waiting for it (stack-getter-reject)', async () => {
    const thrown = 'Object.defineProperty(new Error("x"), "stack", { get() { for (;;); } })'
    await expectEnd(`Promise.reject(${thrown}); return "x"`, 'unhandled_rejection', 'cpu', 'slice')
    await expectEnd(
      'Promise.reject({ get message() { for (;;); } }); return "x"',
      'unhandled_rejection',
      'cpu',
      'slice',
    )
  })

  it('in the then of what it returns (thenable-result)', async () => {
    await expectEnd('return { then() { for (;;); } }', 'slice')
    await expectEnd('return { get then() { for (;;); } }', 'slice')
  })

  it('in the toJSON of what it returns (toJSON-loop)', async () => {
    await expectEnd('return { toJSON() { for (;;); } }', 'slice')
  })

  it('in the text of what it logs or passes on (toString-in-log)', async () => {
    await expectEnd('log({ toJSON() { for (;;); } })', 'slice')
    await expectEnd('config.get({ toString() { for (;;); } })', 'slice')
  })

  it('in a regular expression that backtracks (regex-backtracking)', async () => {
    await expectEnd('/(a+)+$/.test("a".repeat(50) + "b")', 'slice', 'cpu')
  })

  it('in filling an array (array-fill)', async () => {
    await expectEnd('Array(1e9).fill(0)', 'memory', 'slice', 'cpu', 'crashed')
  })

  it('in multiplying huge integers (bigint-multiply)', async () => {
    await expectEnd('let big = 3n ** 1_000_000n; for (;;) big *= big', 'slice', 'cpu', 'memory', 'threw')
  })

  it('in writing out a huge integer (bigint-toString)', async () => {
    await expectEnd('return (3n ** 20_000_000n).toString()', 'slice', 'cpu', 'memory', 'output')
  })

  it('in a comparison while it sorts (sort-comparator)', async () => {
    await expectEnd('[3, 1, 2].sort(() => { for (;;); })', 'slice')
  })

  it('in a finally that never ends (finally-loop)', async () => {
    await expectEnd('try { for (;;); } finally { for (;;); }', 'slice')
  })

  it('in many short stretches, by the processor time of all together', async () => {
    const body =
      'for (;;) { await idp.getAccessRequest("r"); const end = Date.now() + 100; while (Date.now() < end); }'
    expect(await expectEnd(body, 'cpu')).toMatchObject({
      error: { message: expect.stringContaining('processor time') },
    })
  })

  it('in calls that do not wait (sync-callback-spam)', async () => {
    const result = await expectEnd('for (;;) log("spam")', 'slice')
    expect(result.log).toHaveLength(500)
    await expectEnd('for (;;) http.get("https://a").catch(() => {})', 'slice', 'memory')
  })
})

describe('a script that waits is ended', () => {
  it('at once where nothing can come (never-settles)', async () => {
    await expectEnd('await new Promise(() => {})', 'stalled')
    await expectEnd('await idp.getAccessRequest("r1"); await new Promise(() => {})', 'stalled')
    await expectEnd('return { then() {} }', 'stalled')
  })

  it('without Atomics to sleep on (atomics-wait)', async () => {
    const result = await expectEnd('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)', 'threw')
    expect(result.error?.message).toBe('ReferenceError: Atomics is not defined')
  })

  it('by a call that answers too late, which it may handle (slow-host-call)', async () => {
    const handlers = { 'idp.getAccessRequest': () => new Promise(() => {}) }
    const ignored = 'return await idp.getAccessRequest("r").catch((error) => error.message)'
    expect(await runBody(ignored, { handlers })).toMatchObject({
      result: 'idp.getAccessRequest did not answer within 0.4 s',
    })
    expect(await runBody('await idp.getAccessRequest("r")', { handlers })).toMatchObject({
      ended_by: 'host_call',
    })
    expect(await runBody('await idp.getAccessRequest("r")', { handlers, deadline_ms: 200 })).toMatchObject({
      ended_by: 'wall',
    })
    await expectNextRunToWork()
  })

  it('and does nothing more once it has returned (work-after-return)', async () => {
    let calls = 0
    const handlers = {
      'idp.getAccessRequest': async () => {
        calls += 1
        return {}
      },
    }
    const body =
      'Promise.resolve().then(async () => { for (;;) await idp.getAccessRequest("r") }); return "done"'
    expect(await runBody(body, { handlers })).toMatchObject({ result: 'done' })
    const atReturn = calls
    await expectNextRunToWork()
    expect(calls).toBeLessThanOrEqual(atReturn + 1)
  })
})

describe('the wall time of a run', () => {
  it('counts from the decision, queueing included (thirty-seconds-including-queue)', async () => {
    const busy = await openSandbox(
      { max_concurrent: { block: 1, ordinary: 1 }, limits: { slice_ms: 5_000 } },
      onTestFinished,
    )
    const first = busy.runBody('for (;;);', { deadline_ms: 2_000, lane: 'block' })
    const [second, third] = await Promise.all([
      busy.runBody('for (;;);', { deadline_ms: 4_000, lane: 'block' }),
      busy.runBody('return "never"', { deadline_ms: 500, lane: 'block' }),
    ])
    expect(await first).toMatchObject({ ended_by: 'wall' })
    expect(second).toMatchObject({ ended_by: 'wall' })
    expect(second.duration_ms).toBeGreaterThanOrEqual(3_999)
    expect(second.duration_ms).toBeLessThan(6_000)
    expect(third).toMatchObject({ status: 'failed', ended_by: 'saturated', log: [] })
    expect(third.duration_ms).toBeLessThan(2_000)
    await busy.expectNextRunToWork()
  })

  it('of a block run is not spent behind ordinary runs', async () => {
    const busy = await openSandbox({ max_concurrent: { block: 1, ordinary: 1 } }, onTestFinished)
    const controller = new AbortController()
    const ordinary = [1, 2, 3].map(() =>
      busy.runBody('await idp.getAccessRequest("r")', {
        signal: controller.signal,
        handlers: { 'idp.getAccessRequest': () => new Promise(() => {}) },
      }),
    )
    expect(await busy.runBody('return "now"', { lane: 'block' })).toMatchObject({ result: 'now' })
    controller.abort()
    const ends = await Promise.all(ordinary)
    expect(ends.map(({ ended_by }) => ended_by)).toEqual(['cancelled', 'cancelled', 'cancelled'])
  })
})
