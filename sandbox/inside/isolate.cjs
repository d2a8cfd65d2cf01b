// An isolate with the modules of scripts in it, ready for one script.
'use strict'

const { readFileSync } = require('node:fs')

const PREPARATION_MS = 5000

/** `host` has the functions `call`, `log` and `end`; only text and numbers reach them. */
async function prepareIsolate({ ivm, settings, host, onCatastrophe }) {
  const isolate = new ivm.Isolate({
    memoryLimit: settings.limits.heap_mb,
    onCatastrophicError: onCatastrophe,
  })
  const context = await isolate.createContext()
  const control = await prepareControl({ ivm, context, settings, host })
  const modules = new Map()
  for (const [name, functions] of Object.entries(settings.modules))
    modules.set(name, await compileHostModule({ isolate, context, name, functions }))
  return { isolate, control, load: (code, filename) => load({ isolate, context, modules, code, filename }) }
}

async function prepareControl({ ivm, context, settings, host }) {
  await context.evalClosure(readFileSync(settings.lockdown, 'utf8'), [], { timeout: PREPARATION_MS })
  const code = `${readFileSync(settings.host_modules, 'utf8')}\nreturn prepare($0, $1, $2, $3)`
  const callbacks = [host.call, host.log, host.end].map((each) => new ivm.Callback(each, { ignored: true }))
  const given = JSON.stringify({ api: settings.api, levels: settings.levels, limits: settings.limits })
  const control = await context.evalClosure(code, [...callbacks, given], {
    filename: 'hallpass:runtime',
    timeout: PREPARATION_MS,
    result: { reference: true },
  })
  const names = ['begin', 'run', 'settle']
  const functions = await Promise.all(names.map((name) => control.get(name, { reference: true })))
  return Object.fromEntries(names.map((name, index) => [name, functions[index]]))
}

async function compileHostModule({ isolate, context, name, functions }) {
  const exported = functions.map((each) => `export const ${each} = api.${each}`).join('\n')
  const code = `const api = globalThis.${name}\nexport default api\n${exported}`
  const module = await isolate.compileModule(code, { filename: `hallpass:${name}` })
  await module.instantiate(context, refuse)
  await module.evaluate()
  return module
}

function refuse(name) {
  throw new Error(`the module "${name}" is not available to scripts`)
}

async function load({ isolate, context, modules, code, filename }) {
  const module = await isolate.compileModule(code, { filename })
  await module.instantiate(context, (name) => modules.get(name) ?? refuse(name))
  return module
}

module.exports = { prepareIsolate }
