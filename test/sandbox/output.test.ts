import { describe, expect, it } from 'vitest'

import { openSandbox } from './harness.ts'

const { run, runBody, expectNextRunToWork } = await openSandbox({ pool_size: 2 })

const answers = { 'idp.getAccessRequest': async ([id]: unknown[]) => ({ id }) }

describe('what a script logs', () => {
  it('is kept to 500 lines, and the rest is counted (log-flood)', async () => {
    const { log, ended_by } = await runBody('for (let i = 0; i < 20_000; i += 1) log(i)')
    expect(ended_by).toBe('returned')
    expect(log).toHaveLength(501)
    expect(log.at(-1)).toMatchObject({ level: 'warn', text: '19500 more lines were not kept' })
    await expectNextRunToWork()
  })

  it('is cut to 4,096 characters a line (5MB-log-lines)', async () => {
    const { log } = await runBody(
      'for (let i = 0; i < 600; i += 1) log("x".repeat(i < 5 ? 5_000_000 : 50_000))',
    )
    expect(log).toHaveLength(501)
    expect(log.slice(0, 500).every(({ text }) => text.length === 4_096 && text.endsWith('x…'))).toBe(true)
    await expectNextRunToWork()
  })

  it('cannot forge lines, move the cursor or turn the text around (log-injection)', async () => {
    const { log } = await runBody(
      String.raw`log('a\rb\x1b[2Jc\x07\u202ed\u2066e\u2028f\x00g\x9bh\u200fi\x7f')`,
    )
    expect(log).toHaveLength(1)
    expect(log[0]?.text).toBe(
      String.raw`a\u000db\u001b[2Jc\u0007\u202ed\u2066e\u2028f\u0000g\u009bh\u200fi\u007f`,
    )
  })

  it('keeps tabs, line ends, and every script and emoji of the world', async () => {
    const text = 'tab\tline\nwindows\r\nüñí 漢字 עברית 👩‍👩‍👧'
    expect((await runBody(`log(${JSON.stringify(text)})`)).log[0]?.text).toBe(text)
  })

  it('may be anything that cannot be shown', async () => {
    const things =
      '{ toJSON() { throw 1 } }, Object.create(null), Symbol("s"), () => 1, new Proxy({}, { get() { throw 1 } }), 1n'
    const { log, ended_by } = await runBody(
      `const self = {}; self.self = self; for (const each of [self, ${things}]) log(each)`,
    )
    expect(ended_by).toBe('returned')
    expect(log.map(({ text }) => text)).toEqual([
      '[unprintable]',
      '[unprintable]',
      '{}',
      'Symbol(s)',
      '() => 1',
      '[unprintable]',
      '1',
    ])
  })
})

describe('what a script sends', () => {
  it('is counted in calls (call-flood)', async () => {
    let calls = 0
    const handlers = {
      'idp.getAccessRequest': async () => {
        calls += 1
      },
    }
    const flood = 'for (let i = 0; i < 200; i += 1) await idp.getAccessRequest("r")'
    expect(await runBody(flood, { handlers })).toMatchObject({
      ended_by: 'host_call',
      error: { message: 'idp.getAccessRequest: a run may make 50 calls', line: 1 },
    })
    expect(calls).toBe(50)
    await expectNextRunToWork()
  })

  it('is counted in http calls', async () => {
    let calls = 0
    const handlers = {
      'http.request': async () => {
        calls += 1
        return { status: 200, headers: {}, body: '' }
      },
    }
    const flood =
      'return String((await Promise.allSettled(Array.from({ length: 30 }, () => http.get("https://a")))).filter((end) => end.status === "rejected").length)'
    expect(await runBody(flood, { handlers })).toMatchObject({ result: '10' })
    expect(calls).toBe(20)
  })

  it('is limited in size, in one call and in all (huge-argument)', async () => {
    const sent: number[] = []
    const handlers = {
      'idp.getAccessRequest': async ([id]: unknown[]) => {
        sent.push(String(id).length)
      },
    }
    const one = 'return await idp.getAccessRequest("x".repeat(5_000_000)).catch((error) => error.message)'
    expect(await runBody(one, { handlers })).toMatchObject({
      result: 'idp.getAccessRequest: a call may send 262144 characters',
    })
    const many = 'for (let i = 0; i < 10; i += 1) await idp.getAccessRequest("x".repeat(200_000))'
    expect(await runBody(many, { handlers })).toMatchObject({
      ended_by: 'host_call',
      error: { message: 'idp.getAccessRequest: a run may send 1000000 characters' },
    })
    expect(sent).toEqual(Array(4).fill(200_000))
    const escaped =
      'await idp.getAccessRequest("\\u0000".repeat(43_000)); await idp.getAccessRequest("€".repeat(250_000)); return "ok"'
    expect(await runBody(escaped, { handlers })).toMatchObject({ result: 'ok' })
    await expectNextRunToWork()
  })

  it('is answered with no more than it can take', async () => {
    const handlers = {
      'http.request': async () => ({ status: 200, headers: {}, body: 'x'.repeat(3_000_000) }),
    }
    expect(
      await runBody('return await http.get("https://a").catch((error) => error.message)', { handlers }),
    ).toMatchObject({
      result: 'http.request answered with more than a script may receive',
    })
    const million = {
      'http.request': async () => ({ status: 200, headers: {}, body: 'x'.repeat(1_000_000) }),
    }
    expect(
      await runBody('return (await http.get("https://a")).body.length', { handlers: million }),
    ).toMatchObject({ result: '1000000' })
  })
})

describe('what a script returns', () => {
  it('is limited to 64 KB, counted in bytes (huge-result)', async () => {
    expect(await runBody('return "x".repeat(65_536)')).toMatchObject({ ended_by: 'returned' })
    for (const result of [
      '"x".repeat(65_537)',
      '"€".repeat(30_000)',
      '"x".repeat(1e8)',
      'Array(1e5).fill(1)',
    ])
      expect(await runBody(`return ${result}`)).toMatchObject({
        ended_by: 'output',
        result: null,
        status: 'failed',
      })
    await expectNextRunToWork()
  })

  it('cannot be circular (circular-result)', async () => {
    const { ended_by, error } = await runBody('const self = {}; self.self = self; return self')
    expect(ended_by).toBe('threw')
    expect(error?.message).toContain('circular structure')
    await expectNextRunToWork()
  })

  it('is well-formed and can be stored (lone-surrogates)', async () => {
    const { result, log } = await runBody(String.raw`log('\ud800'); return 'a\udc00b\u0000c'`)
    expect(result).toBe('a\ufffdb\\u0000c')
    expect(log[0]?.text).toBe('\ufffd')
  })
})

describe('what a script throws', () => {
  it.each([
    ['null', 'null'],
    ['undefined', 'undefined'],
    ['"text"', 'text'],
    ['42', '42'],
    ['Symbol("s")', 'Symbol(s)'],
    ['{ message: "plain" }', 'plain'],
    ['{ a: 1 }', '{"a":1}'],
    ['Object.create(null)', '{}'],
    ['new (class Broken extends Error { name = "Broken" })("b")', 'Broken: b'],
    ['{ get message() { throw 1 } }', 'the thrown value cannot be described'],
    ['new Proxy({}, { get() { throw 1 } })', 'the thrown value cannot be described'],
    ['new Error("x".repeat(100_000))', 'x'.repeat(2_000)],
    [String.raw`new Error('\x1b[31mred\u202e')`, String.raw`\u001b[31mred\u202e`],
  ])('is told, be it %s (symbol-or-null-thrown)', async (thrown, message) => {
    expect(await runBody(`throw ${thrown}`)).toMatchObject({ ended_by: 'threw', error: { message } })
  })

  it('at its top level is told too, be it an error or not', async () => {
    expect(await run('throw { a: 1 }; export const run = 1')).toMatchObject({
      ended_by: 'threw',
      error: { message: 'a value that is not an error was thrown' },
    })
    expect(await run('throw null; export const run = 1')).toMatchObject({
      ended_by: 'threw',
      error: { message: 'null' },
    })
  })

  it('into a promise that nobody awaits fails the run that would have returned (floating-rejection)', async () => {
    expect(await runBody('Promise.reject(new RangeError("lost")); return "ok"')).toMatchObject({
      status: 'failed',
      ended_by: 'unhandled_rejection',
      result: null,
      error: { message: 'RangeError: lost', line: 1 },
    })
    expect(
      await runBody(
        'idp.getAccessRequest("r").then(() => { throw new Error("later") }); await idp.getAccessRequest("r")',
        { handlers: answers },
      ),
    ).toMatchObject({
      ended_by: 'unhandled_rejection',
      error: { message: 'later' },
    })
    await expectNextRunToWork()
  })

  it('cannot pass for an end of another kind', async () => {
    const { ended_by } = await runBody('throw new Error("Script execution timed out.")')
    expect(ended_by).toBe('threw')
    const floating = await runBody('Promise.reject(new Error("Script execution timed out.")); return 1')
    expect(floating.ended_by).toBe('unhandled_rejection')
    const lost = await runBody(
      'Promise.reject(new Error("Isolate was disposed during execution due to memory limit")); return 1',
    )
    expect(lost.ended_by).toBe('unhandled_rejection')
  })
})
