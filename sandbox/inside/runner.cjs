// The process that runs one script: it prepares an isolate, says `ready`, runs what it is told to, says `done`
// and waits to be killed. It is treated as hostile by its parent, which holds every limit once more.
'use strict'

const { writeSync } = require('node:fs')

const { prepareIsolate } = require('./isolate.cjs')
const { listen, send } = require('./pipe.cjs')
const { describe, describeRefusal } = require('./thrown.cjs')

const settings = JSON.parse(process.argv[2])
const native = { exports: {} }
process.dlopen(native, settings.addon)

const { limits } = settings
const slice = { timeout: limits.slice_ms }
const CPU_WATCH_MS = 50

let isolate
let control
let load
let filename = ''
let isRunning = false
let hasEnded = false
let outcome = null
let pendingCalls = 0

const host = {
  call(id, operation, text) {
    pendingCalls += 1
    send({ type: 'call', id, operation, args: JSON.parse(text) })
  },
  log(level, text) {
    send({ type: 'log', level, text })
  },
  end(text) {
    outcome = JSON.parse(text)
  },
}

const die = () => process.kill(process.pid, 'SIGKILL')

function dieOf(catastrophe) {
  writeSync(2, `${catastrophe}\n`)
  die()
}

const cpuMs = () => (isolate.isDisposed ? null : Math.round(Number(isolate.cpuTime) / 1e6))

function end(ended_by, { result = null, error = null, dropped_lines = 0 } = {}) {
  if (hasEnded) return
  hasEnded = true
  send({ type: 'done', ended_by, result, error, dropped_lines, cpu_ms: cpuMs() })
}

// A slice that fails was cut by its time limit, lost its isolate to the memory limit, or left a promise
// rejected without a handler: isolated-vm reports that one as the failure of the slice.
function endOfSlice(thrown, startedAt, otherwise) {
  const error = describe(thrown, filename)
  if (isolate.isDisposed) return end('memory')
  const isLate = performance.now() - startedAt >= limits.slice_ms
  if (isLate && error.message === 'Script execution timed out.')
    return end('slice', { error: { ...error, message: '' } })
  end(otherwise, { error })
}

/** Waits for one entry into the isolate and ends the run if the entry failed. */
async function enter(entry, otherwise = 'unhandled_rejection') {
  const startedAt = performance.now()
  try {
    await entry()
  } catch (thrown) {
    endOfSlice(thrown, startedAt, otherwise)
  }
}

// `end` of the host runs before the slice that called it is over: a rejection in that slice still counts.
function finishIfSettled() {
  if (hasEnded || !isRunning) return
  if (outcome === null) return pendingCalls === 0 ? end('stalled') : undefined
  const { ended_by, result, thrown, dropped_lines } = outcome
  end(ended_by, { result, error: thrown ? describe(thrown, filename) : null, dropped_lines })
}

async function exportedRun(module) {
  for (const name of ['run', 'Run']) {
    const found = await module.namespace.get(name, { reference: true }).catch(() => null)
    if (found?.typeof === 'function') return found.derefInto()
  }
  return null
}

async function evaluate(code) {
  try {
    const module = await load(code, filename)
    await enter(() => module.evaluate(slice), 'threw')
    return module
  } catch (error) {
    end('invalid', { error: describeRefusal(error, filename) })
  }
}

async function run(message) {
  filename = message.filename
  setInterval(() => cpuMs() > limits.cpu_ms && end('cpu'), CPU_WATCH_MS).unref()
  await control.begin.apply(
    undefined,
    [JSON.stringify(message.config), JSON.stringify(message.secrets)],
    slice,
  )
  const module = await evaluate(message.code)
  if (hasEnded) return
  const script = await exportedRun(module)
  if (script === null)
    return end('invalid', {
      error: describe(new Error('the script does not export a function named run'), filename),
    })
  isRunning = true
  await enter(() => control.run.apply(undefined, [script], slice))
  finishIfSettled()
}

async function reply({ id, succeeded, text }) {
  await enter(() => control.settle.apply(undefined, [id, succeeded, text], slice))
  pendingCalls -= 1
  finishIfSettled()
}

async function main() {
  const prepared = await prepareIsolate({ ivm: native.exports.ivm, settings, host, onCatastrophe: dieOf })
  isolate = prepared.isolate
  control = prepared.control
  load = prepared.load
  listen({ run, reply }, die)
  send({ type: 'ready' })
}

void main()
