import { describe, expect, it } from 'vitest'

import { openSandbox } from './harness.ts'

const { sandbox, run, runBody, expectNextRunToWork } = await openSandbox()

const echo = {
  'http.request': async (args: unknown[]) => ({ status: 200, headers: {}, body: JSON.stringify(args[0]) }),
}

describe('a script', () => {
  it('gives its returned text as the result', async () => {
    const result = await run('export function run() { return "done\\n  indented – ü 🎉" }')
    expect(result).toMatchObject({ status: 'succeeded', ended_by: 'returned', error: null, log: [] })
    expect(result.result).toBe('done\n  indented – ü 🎉')
    expect(result.cpu_ms).toBeTypeOf('number')
  })

  it('may be asynchronous and may be called Run', async () => {
    expect(await run('export async function Run() { await null; return "later" }')).toMatchObject({
      result: 'later',
    })
  })

  it.each([
    ['undefined', null],
    ['null', null],
    ['42', '42'],
    ['true', 'true'],
    ['12n', '12'],
    ['({ a: [1, "x"] })', '{"a":[1,"x"]}'],
    ['""', ''],
  ])('that returns %s has the result %j', async (expression, result) => {
    expect(await runBody(`return ${expression}`)).toMatchObject({ status: 'succeeded', result })
  })

  it.each(['() => 1', 'Symbol("s")'])('that returns %s fails', async (expression) => {
    expect(await runBody(`return ${expression}`)).toMatchObject({
      status: 'failed',
      ended_by: 'threw',
      result: null,
    })
  })

  it('reads its config by every spelling and every way of importing it', async () => {
    const code = [
      "import config, { get, Get } from 'config'",
      "import * as all from 'config'",
      'const top = globalThis.config.get("a")',
      'export const run = () => [top, config.get("a"), config.Get("a"), get("a"), Get("a"), all.get("a")].join()',
    ].join('\n')
    expect(await run(code, { config: { a: 'x' } })).toMatchObject({ result: 'x,x,x,x,x,x' })
  })

  it('gets an empty text for a config key that it does not have, whatever the key is', async () => {
    const keys = '"none", "toString", "__proto__", "constructor", undefined, 1'
    expect(await runBody(`return JSON.stringify([${keys}].map((key) => config.get(key)))`)).toMatchObject({
      result: '["","","","","",""]',
    })
  })

  it('gets a placeholder for a secret and an error for an unknown one', async () => {
    const secrets = { TOKEN: 'placeholder-1' }
    expect(await runBody('return secrets.Get("TOKEN")', { secrets })).toMatchObject({
      result: 'placeholder-1',
    })
    expect(await runBody('return secrets.get("OTHER")', { secrets })).toMatchObject({
      ended_by: 'threw',
      error: { message: 'the secret "OTHER" is not available to this task' },
    })
  })

  it('logs by log, its levels and console, in order', async () => {
    const { log } = await runBody(
      'log("a", 1, { b: [2] }, null, undefined, new TypeError("c")); log.warn("d"); console.error("e"); console.log("f\\ng")',
    )
    expect(log.map(({ level, text }) => [level, text])).toEqual([
      ['info', 'a 1 {"b":[2]} null undefined TypeError: c'],
      ['warn', 'd'],
      ['error', 'e'],
      ['info', 'f\ng'],
    ])
    expect(log.every(({ at_ms }) => at_ms >= 0 && at_ms < 5_000)).toBe(true)
  })

  it('keeps every log line that came before its end', async () => {
    const { log } = await runBody('for (let i = 0; i < 500; i += 1) log(i); return "x"')
    expect(log.map(({ text }) => Number(text))).toEqual([...Array(500).keys()])
  })

  it('fails with its own message, line and column', async () => {
    expect(await run('export function run() {\n  const user = null\n  return user.name\n}')).toMatchObject({
      status: 'failed',
      ended_by: 'threw',
      result: null,
      error: { message: "TypeError: Cannot read properties of null (reading 'name')", line: 3, column: 15 },
    })
  })

  it('fails when its top level throws', async () => {
    expect(await run('export const run = 1\n  throw new Error("early")')).toMatchObject({
      ended_by: 'threw',
      error: { message: 'early', line: 2, column: 9 },
    })
  })

  it('fails when it exports no function, does not compile or imports what is not there', async () => {
    expect(await run('export const run = 1')).toMatchObject({ ended_by: 'invalid' })
    expect(await run('export const\nrun = )')).toMatchObject({
      ended_by: 'invalid',
      error: { message: "SyntaxError: Unexpected token ')'", line: 2, column: 7 },
    })
    expect(await run('import fs from "fs"; export const run = 1')).toMatchObject({
      ended_by: 'invalid',
      error: { message: 'the module "fs" is not available to scripts' },
    })
  })
})

describe('a host call', () => {
  it('reaches its handler as one request, however it was written', async () => {
    const calls = [
      'http.get("https://a")',
      'http.Get("https://a", { headers: { x: 1 } })',
      'http.post("https://a", "text/plain", "body")',
      'http.post("https://a", { json: true })',
      'http.Post("https://a", "body", { headers: { "Content-Type": "text/csv" } })',
      'http.request({ url: "https://a", method: "put", body: "b" })',
    ]
    const { result } = await runBody(
      `const answers = await Promise.all([${calls.join()}]); return answers.map((each) => each.body).join("\\n")`,
      { handlers: echo },
    )
    expect(result?.split('\n').map((line) => JSON.parse(line))).toEqual([
      { method: 'GET', url: 'https://a', headers: {}, body: null },
      { method: 'GET', url: 'https://a', headers: { x: '1' }, body: null },
      { method: 'POST', url: 'https://a', headers: { 'content-type': 'text/plain' }, body: 'body' },
      {
        method: 'POST',
        url: 'https://a',
        headers: { 'content-type': 'application/json' },
        body: '{"json":true}',
      },
      { method: 'POST', url: 'https://a', headers: { 'Content-Type': 'text/csv' }, body: 'body' },
      { method: 'PUT', url: 'https://a', headers: {}, body: 'b' },
    ])
  })

  it('gives approvers under both spellings of email', async () => {
    const handlers = {
      'idp.getAccessRequestApprovers': async ([id]: unknown[]) => [{ id, email: 'bob@example.com' }],
    }
    const body =
      'const [first] = await idp.GetAccessRequestApprovers("r1"); return first.id + first.email + first.Email'
    expect(await runBody(body, { handlers })).toMatchObject({ result: 'r1bob@example.combob@example.com' })
  })

  it('that nobody answers is a rejected promise which the script can handle', async () => {
    const body = 'try { await http.get("https://a") } catch (error) { return error.message }'
    expect(await runBody(body)).toMatchObject({ result: 'http.request is not available to this run' })
  })

  it('that fails ends a script which does not handle it, at the line of the call', async () => {
    const handlers = { 'idp.getAccessRequest': () => Promise.reject(new Error('no such request')) }
    expect(
      await run('export async function run() {\n  await idp.getAccessRequest("r")\n}', { handlers }),
    ).toMatchObject({
      ended_by: 'host_call',
      error: { message: 'idp.getAccessRequest failed: no such request', line: 2, column: 13 },
    })
  })

  it('tells its handler when the run is over', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const handlers = {
      'idp.getAccessRequest': (_: unknown[], { signal }: { signal: AbortSignal }) => {
        signal.addEventListener('abort', () => resolve('aborted'))
        return new Promise(() => {})
      },
    }
    await runBody('idp.getAccessRequest("r"); return "x"', { handlers })
    expect(await promise).toBe('aborted')
  })
})

/** A body that says when it is under way, so that a test does not depend on how long a child takes to start. */
function underWay(body: string) {
  const { promise: started, resolve } = Promise.withResolvers<string>()
  const handlers = {
    'idp.getAccessRequest': async () => {
      resolve('under way')
      return {}
    },
  }
  return { body: `await idp.getAccessRequest("r"); ${body}`, input: { handlers }, started }
}

describe('a run', () => {
  it('ends at its deadline, whatever the script does', async () => {
    const loop = underWay('for (;;);')
    const result = await runBody(loop.body, { ...loop.input, deadline_ms: 1_500 })
    expect(await loop.started).toBe('under way')
    expect(result).toMatchObject({ status: 'failed', ended_by: 'wall', result: null, cpu_ms: null })
    expect(result.duration_ms).toBeGreaterThanOrEqual(1_499)
    expect(result.duration_ms).toBeLessThan(6_000)
    await expectNextRunToWork()
  })

  it('ends when it is cancelled, and at once when it was cancelled before', async () => {
    const controller = new AbortController()
    const loop = underWay('for (;;);')
    const run = runBody(loop.body, { ...loop.input, signal: controller.signal })
    await loop.started
    const abortedAt = performance.now()
    controller.abort()
    expect(await run).toMatchObject({ ended_by: 'cancelled', error: { message: 'The run was cancelled.' } })
    expect(performance.now() - abortedAt).toBeLessThan(1_000)
    expect(await runBody('return "x"', { signal: controller.signal })).toMatchObject({
      ended_by: 'cancelled',
    })
    await expectNextRunToWork()
  })

  it('shares nothing with the run before it', async () => {
    await runBody('globalThis.left = 1; Object.prototype.left = 1; Array.prototype.join = null')
    expect(await runBody('return [typeof left, typeof ({}).left, [1, 2].join("")].join()')).toMatchObject({
      result: 'undefined,undefined,12',
    })
  })

  it('tells the level of isolation, and names every wall as there or missing', () => {
    const { name, walls, missing, block_refusal } = sandbox.level()
    expect(['full', 'namespaces', 'own_user', 'limits', 'process']).toContain(name)
    expect(walls.length + missing.length).toBe(9)
    expect(block_refusal).toBeNull()
  })
})
