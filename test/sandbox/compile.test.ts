import { describe, expect, it } from 'vitest'

import { compileScript, ScriptInvalid, ScriptUnchecked } from '../../sandbox/compile.ts'

const run = 'export const run = () => "done"'

async function refusal(source: string) {
  const refused: unknown = await compileScript(source).catch((error: unknown) => error)
  if (!(refused instanceof ScriptInvalid)) throw new Error(`not refused: ${source}`)
  return { message: refused.message, line: refused.line, column: refused.column }
}

describe('compiling a script', () => {
  it('removes the types and keeps every position', async () => {
    const source =
      'export async function run(): Promise<string> {\n  const ok: boolean = true\n  return String(ok)\n}\n'
    const { code } = await compileScript(source)
    expect(code).toHaveLength(source.length)
    expect(code).not.toContain('Promise<string>')
    expect(code.split('\n')[1]?.indexOf('= true')).toBe(source.split('\n')[1]?.indexOf('= true'))
  })

  it('accepts Run, the host modules in every way of importing, a hashbang and await in functions', async () => {
    const source = [
      '#!/usr/bin/env script',
      "import config, { get, Get } from 'config'",
      "import * as http from 'http'",
      "import secrets from 'secrets'",
      "import { GetAccessRequestApprovers } from 'idp'",
      "import log, { warn } from 'log'",
      'export async function Run() { await http.get(get("url")); for await (const each of []) log(each) }',
    ].join('\n')
    expect((await compileScript(source)).code).toBe(source)
  })

  it('is not confused by the word await in text, comments and nested functions', async () => {
    const source = `// await here\nconst text = "await there"\n${run}\nasync function later() { await null }`
    expect((await compileScript(source)).code).toBe(source)
  })

  it('refuses a syntax error at its line and column', async () => {
    expect(await refusal(`${run}\nlet x = 1\n  let x = 2`)).toEqual({
      message: "Identifier 'x' has already been declared",
      line: 3,
      column: 7,
    })
    expect(await refusal(`${run}\nconst a: = 3`)).toMatchObject({ line: 2, column: 10 })
  })

  it('refuses a source that ends too early at its end', async () => {
    expect(await refusal('export function run() {\n  return "')).toMatchObject({ line: 2 })
    expect(await refusal('export function run() {\n')).toMatchObject({ line: 2, column: 1 })
  })

  it('refuses TypeScript that is more than types', async () => {
    expect(await refusal(`${run}\n  enum Color { red }`)).toEqual({
      message: 'TypeScript enum is not supported in strip-only mode',
      line: 2,
      column: 3,
    })
  })

  it('refuses a script without an exported run', async () => {
    const message = 'the script does not export a function named run'
    expect(await refusal('function run() {}')).toEqual({ message, line: 1, column: 1 })
    expect(await refusal('export default function run() {}')).toEqual({ message, line: 1, column: 1 })
    expect(await refusal('')).toEqual({ message, line: 1, column: 1 })
  })

  it('refuses every module that is not a host module', async () => {
    const message = '"node:fs" cannot be imported; scripts can import config, secrets, http, idp, log'
    expect(await refusal(`import { readFileSync } from 'node:fs'\n${run}`)).toEqual({
      message,
      line: 1,
      column: 30,
    })
    expect(await refusal(`${run}\nexport * from "./other.ts"`)).toMatchObject({ line: 2, column: 15 })
  })

  it('refuses a name that a host module does not have', async () => {
    expect(await refusal(`import { set } from 'config'\n${run}`)).toEqual({
      message: "The requested module 'config' does not provide an export named 'set'",
      line: 1,
      column: 10,
    })
  })

  it('refuses top-level await in all its forms, at the one that is at the top', async () => {
    const message = 'await is not available outside a function'
    const inner = 'async function first() { await null }'
    expect(await refusal(`${inner}\n${run}\n  const x = await first()`)).toEqual({
      message,
      line: 3,
      column: 13,
    })
    expect(await refusal(`${run}\nfor await (const x of []) {}`)).toEqual({ message, line: 2, column: 5 })
    expect(await refusal(`${run}\nawait using x = null`)).toEqual({ message, line: 2, column: 1 })
  })

  it('never executes what it checks', async () => {
    const source = `for (;;);\n${run}`
    expect((await compileScript(source)).code).toBe(source)
  })

  it('survives sources made to exhaust a parser', async () => {
    for (const source of ['('.repeat(200_000), '['.repeat(100_000), `${run}\n${'a=>'.repeat(60_000)}1`])
      expect((await refusal(source)).message).not.toBe('')
  })

  it('refuses a source that is too long before it looks at it', async () => {
    expect(await refusal(' '.repeat(300_000))).toMatchObject({
      message: 'a script may have 262144 characters',
    })
  })

  it('says of a source that it had no time for that it was not looked at, not that it is bad', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 40 }, () => compileScript(run)))
    const refused = asked.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(40)
    for (const error of refused) expect(error).toBeInstanceOf(ScriptUnchecked)
    expect((await compileScript(run)).code).toBe(run)
  })
})
