// Reads a script from stdin and writes what it compiles to, or where it is wrong. Nothing of the script is
// executed: it is parsed, linked, and evaluated only behind a first statement that throws.
'use strict'

const { readFileSync } = require('node:fs')
const { stripTypeScriptTypes } = require('node:module')

const settings = JSON.parse(process.argv[2])
const native = { exports: {} }
process.dlopen(native, settings.addon)
const { Isolate } = native.exports.ivm

const isolate = new Isolate({
  memoryLimit: 64,
  onCatastrophicError: () => process.kill(process.pid, 'SIGKILL'),
})
const FILE = 'script'

class Refused extends Error {
  constructor(message, { line, column } = { line: 1, column: 1 }) {
    super(message)
    Object.assign(this, { line, column })
  }
}

function positionAt(source, index) {
  const before = source.slice(0, index).split('\n')
  return { line: before.length, column: before.at(-1).length + 1 }
}

// Node tells the place as a heading: `:LINE`, the source line, and carets below it.
function placeOfTypeError(error) {
  const lines = String(error.stack).split('\n')
  const caret = lines.find((line) => /^\s*\^+\s*$/.test(line))
  return { line: Number(/:(\d+)$/.exec(lines[0])?.[1] ?? 1), column: (caret?.indexOf('^') ?? 0) + 1 }
}

function stripTypes(source) {
  try {
    return stripTypeScriptTypes(source, { mode: 'strip' })
  } catch (error) {
    if (!error.code?.endsWith('_TYPESCRIPT_SYNTAX'))
      throw new Refused('the script is too large or too deeply nested')
    const atEnd = error.message.includes('<eof>')
    throw new Refused(
      error.message.slice(0, 300),
      atEnd ? positionAt(source, source.length) : placeOfTypeError(error),
    )
  }
}

function refusalOf(error) {
  const [, message, line, column] = /^([^]*) \[script:(\d+):(\d+)\]$/.exec(error.message) ?? [
    null,
    error.message,
    1,
    1,
  ]
  return new Refused(message, { line: Number(line), column: Number(column) })
}

const compile = (code, filename = FILE) =>
  isolate.compileModule(code, { filename }).catch((error) => Promise.reject(refusalOf(error)))

const stubs = new Map()
async function prepareStubs() {
  for (const [name, functions] of Object.entries(settings.modules)) {
    const exported = functions.map((each) => `export const ${each} = null`).join('\n')
    stubs.set(name, await compile(`export default null\n${exported}`, name))
  }
}

function placeOf(code, ...texts) {
  const found = texts.map((text) => code.indexOf(text)).filter((index) => index >= 0)
  return positionAt(code, found.length === 0 ? 0 : Math.min(...found))
}

function resolverFor(code, others = {}) {
  return (name) => {
    const found = others[name] ?? stubs.get(name)
    if (found !== undefined) return found
    const known = [...stubs.keys()].join(', ')
    throw new Refused(
      `"${name}" cannot be imported; scripts can import ${known}`,
      placeOf(code, `'${name}'`, `"${name}"`),
    )
  }
}

async function link(module, code, others) {
  try {
    await module.instantiate(await isolate.createContext(), resolverFor(code, others))
  } catch (error) {
    if (error instanceof Refused) throw error
    const name = /export named '(.*)'$/.exec(error.message)?.[1]
    throw name === undefined ? refusalOf(error) : new Refused(error.message, placeOf(code, name))
  }
}

// Linking fails for a name that the script does not export, without running any of it.
async function exportsName(code, name) {
  const probe = await compile(`import { ${name} } from 'the-script'`, 'probe')
  const script = await compile(code)
  try {
    await link(probe, code, { 'the-script': script })
    return true
  } catch {
    return false
  }
}

const firstToReject = 'Promise.resolve().then(() => { Promise.reject(new Error("asynchronous")) })'

// The script stops at a statement that throws. A synchronous module is rejected at once, an asynchronous one
// (with a top-level await) after the job that the imported module queued before it: the first rejection tells.
async function isAsynchronous(code) {
  const start = code.startsWith('#!') ? code.search(/\n|$/) : 0
  const stopped = `${code.slice(0, start)}\nimport "first"; throw new Error("synchronous");${code.slice(start)}`
  const script = await compile(stopped.trimStart()).catch(() => null)
  if (script === null) return false
  await link(script, code, { first: await compile(firstToReject, 'first') })
  const rejection = await script.evaluate({ timeout: 1000 }).catch((error) => error)
  return rejection?.message === 'asynchronous'
}

const AWAITS_LOOKED_AT = 50

// The first await that, left alone while every other is replaced, still makes the module asynchronous.
async function placeOfTopLevelAwait(code) {
  const awaits = [...code.matchAll(/\bawait\b/g)].slice(0, AWAITS_LOOKED_AT)
  for (const { index } of awaits) {
    const alone = code.replace(/\bawait\b/g, (word, at) => (at === index ? word : 'void '))
    if (await isAsynchronous(alone)) return positionAt(code, index)
  }
  return positionAt(code, awaits[0]?.index ?? 0)
}

async function check(source) {
  const code = stripTypes(source)
  await prepareStubs()
  await link(await compile(code), code)
  if (!(await exportsName(code, 'run')) && !(await exportsName(code, 'Run')))
    throw new Refused('the script does not export a function named run')
  if (await isAsynchronous(code))
    throw new Refused('await is not available outside a function', await placeOfTopLevelAwait(code))
  return { code }
}

const report = (value) => process.stdout.write(JSON.stringify(value), () => process.exit(0))

check(readFileSync(0, 'utf8')).then(report, ({ message, line = 1, column = 1 }) =>
  report({ message, line, column }),
)
