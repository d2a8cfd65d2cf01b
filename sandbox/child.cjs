// The process that runs one script: it prepares an isolate, says `ready`, runs what it is told to, says `done`
// and waits to be killed. It is treated as hostile by its parent, which holds every limit once more.
'use strict'

const { readFileSync } = require('node:fs')

const settings = JSON.parse(process.argv[2])
const { limits } = settings
const native = { exports: {} }
process.dlopen(native, settings.addon)
const { Isolate, Callback } = native.exports.ivm

const die = () => process.kill(process.pid, 'SIGKILL')

function send(message) {
  const body = Buffer.from(JSON.stringify(message))
  const header = Buffer.alloc(4)
  header.writeUInt32LE(body.length)
  process.stdout.write(Buffer.concat([header, body]))
}

const isolate = new Isolate({ memoryLimit: limits.heap_mb, onCatastrophicError: die })
const hostModules = new Map()
let context
let control
let scriptName = ''
let running = false
let outcome = null
let pendingCalls = 0
let ended = false

function cpuMs() {
  return isolate.isDisposed ? null : Math.round(Number(isolate.cpuTime) / 1e6)
}

function positionIn(stack) {
  const start = typeof stack === 'string' ? stack.indexOf(`${scriptName}:`) : -1
  const found = start < 0 ? null : /^(\d{1,7}):(\d{1,7})/.exec(stack.slice(start + scriptName.length + 1))
  return found ? { line: Number(found[1]), column: Number(found[2]) } : { line: null, column: null }
}

function errorFrom({ name, message, stack }) {
  const named = typeof name === 'string' && name !== '' && name !== 'Error' ? `${name}: ` : ''
  return { message: `${named}${message}`.slice(0, 2100), ...positionIn(stack) }
}

function end(ended_by, { result = null, error = null, dropped_lines = 0 } = {}) {
  if (ended) return
  ended = true
  send({ type: 'done', ended_by, result, error, dropped_lines, cpu_ms: cpuMs() })
}

const withoutPosition = ({ name, message, stack }) => ({
  name,
  message: message.replace(/ \[[^\]]*\]$/, ''),
  stack,
})

// A slice that fails was cut by its time limit, lost its isolate to the memory limit, or left a promise
// rejected without a handler: isolated-vm reports that one as the failure of the slice.
function endOfSlice(error, startedAt, reported) {
  if (isolate.isDisposed || /memory limit|Isolate was disposed/.test(error.message)) return end('memory')
  const timedOut =
    error.message === 'Script execution timed out.' && performance.now() - startedAt >= limits.slice_ms
  if (timedOut) return end('slice', { error: { message: '', ...positionIn(error.stack) } })
  end(reported, { error: errorFrom(error) })
}

// What arrives here is a structured copy of what the script threw: plain data, whatever it claims to be.
function asError(thrown) {
  if (typeof thrown === 'object' && thrown !== null && typeof thrown.message === 'string') return thrown
  if (typeof thrown === 'object' && thrown !== null)
    return new Error('a value that is not an error was thrown')
  return new Error(String(thrown))
}

/** Waits for one entry into the isolate and ends the run if the entry did. */
async function enter(entry, reported = 'unhandled_rejection') {
  const startedAt = performance.now()
  try {
    return await entry()
  } catch (thrown) {
    endOfSlice(asError(thrown), startedAt, reported)
  }
}

const slice = { timeout: limits.slice_ms }

function finishIfSettled() {
  if (ended || !running) return
  if (outcome === null) return pendingCalls === 0 ? end('stalled') : undefined
  const { ended_by, result, thrown, dropped_lines } = outcome
  end(ended_by, { result, error: thrown ? errorFrom(thrown) : null, dropped_lines })
}

const callbacks = [
  new Callback(
    (id, operation, text) => {
      pendingCalls += 1
      send({ type: 'call', id, operation, args: JSON.parse(text) })
    },
    { ignored: true },
  ),
  new Callback((level, text) => send({ type: 'log', level, text }), { ignored: true }),
  new Callback(
    (text) => {
      outcome = JSON.parse(text)
    },
    { ignored: true },
  ),
]

async function prepare() {
  context = await isolate.createContext()
  const bootstrap = readFileSync(settings.bootstrap, 'utf8')
  const given = JSON.stringify({ api: settings.api, levels: settings.levels, limits })
  const reference = await context.evalClosure(
    `${bootstrap}\nreturn prepare($0, $1, $2, $3)`,
    [...callbacks, given],
    {
      filename: 'hallpass:runtime',
      timeout: 5000,
      result: { reference: true },
    },
  )
  control = {
    begin: await reference.get('begin', { reference: true }),
    run: await reference.get('run', { reference: true }),
    settle: await reference.get('settle', { reference: true }),
  }
  for (const [name, functions] of Object.entries(settings.modules)) await prepareModule(name, functions)
}

async function prepareModule(name, functions) {
  const exported = functions.map((each) => `export const ${each} = api.${each}`).join('\n')
  const code = `const api = globalThis.${name}\nexport default api\n${exported}`
  const module = await isolate.compileModule(code, { filename: `hallpass:${name}` })
  await module.instantiate(context, refuseImport)
  await module.evaluate()
  hostModules.set(name, module)
}

function refuseImport(name) {
  throw new Error(`the module "${name}" is not available to scripts`)
}

async function load(code) {
  const module = await isolate.compileModule(code, { filename: scriptName })
  await module.instantiate(context, (name) => hostModules.get(name) ?? refuseImport(name))
  return module
}

async function exportedRun(module) {
  for (const name of ['run', 'Run']) {
    const found = await module.namespace.get(name, { reference: true }).catch(() => null)
    if (found?.typeof === 'function') return found.derefInto()
  }
  return null
}

async function run({ code, filename, config, secrets }) {
  scriptName = filename
  const watch = setInterval(() => {
    if (cpuMs() > limits.cpu_ms) end('cpu')
  }, 50)
  watch.unref()
  await control.begin.apply(undefined, [JSON.stringify(config), JSON.stringify(secrets)], slice)
  const module = await load(code).catch((error) =>
    end('invalid', { error: errorFrom(withoutPosition(error)) }),
  )
  if (ended) return
  await enter(() => module.evaluate(slice), 'threw')
  if (ended) return
  const script = await exportedRun(module)
  if (script === null)
    return end('invalid', { error: errorFrom(new Error('the script does not export a function named run')) })
  running = true
  await enter(() => control.run.apply(undefined, [script], slice))
  finishIfSettled()
}

async function reply({ id, succeeded, text }) {
  await enter(() => control.settle.apply(undefined, [id, succeeded, text], slice))
  pendingCalls -= 1
  finishIfSettled()
}

const handlers = { run, reply }

let buffered = Buffer.alloc(0)
process.stdin.on('data', (chunk) => {
  buffered = Buffer.concat([buffered, chunk])
  while (buffered.length >= 4 && buffered.length >= 4 + buffered.readUInt32LE(0)) {
    const frameEnd = 4 + buffered.readUInt32LE(0)
    const message = JSON.parse(buffered.toString('utf8', 4, frameEnd))
    buffered = buffered.subarray(frameEnd)
    handlers[message.type](message)
  }
})
process.stdin.on('end', die)

void prepare().then(() => send({ type: 'ready' }))
