// Runs inside the isolate after the lockdown and before any script, as the body of a function that ends with a
// call of `prepare`, and makes the modules that scripts use. The script may replace any built-in afterwards, so
// everything used later is captured here, loops go by index, and nothing of the host is handed out.
'use strict'
/* oxlint-disable typescript/unbound-method -- methods are captured unbound so that the script cannot replace them */

const { stringify, parse } = JSON
const { freeze, keys, hasOwn, defineProperty, create } = Object
const NativeError = Error
const NativeTypeError = TypeError
const NativePromise = Promise
const toText = String
const { isArray } = Array
const { call: callWith } = Object.getPrototypeOf(() => {})
const uncurry = (method) => callWith.bind(method)
const slice = uncurry(String.prototype.slice)
const indexOf = uncurry(String.prototype.indexOf)
const toUpperCase = uncurry(String.prototype.toUpperCase)
const remember = uncurry(WeakMap.prototype.set)
const recall = uncurry(WeakMap.prototype.get)

// A descriptor without a prototype: the script may have put a property named `get` on Object.prototype.
const setHidden = (object, name, value) =>
  defineProperty(object, name, { __proto__: null, value, writable: true, configurable: true })
const share = (name, value) => defineProperty(globalThis, name, { __proto__: null, value, enumerable: true })

let host
let limits

// Host calls: text goes out, text comes back, counted on both sides of the pipe.

const waiting = create(null)
const hostFailures = new WeakMap()
let lastId = 0
let calls = 0
let httpCalls = 0
let sentChars = 0

/** Why a call is refused, or null: then it counts. */
function refusal(operation, text) {
  const isHttp = operation === 'http.request'
  if (calls >= limits.calls) return `a run may make ${limits.calls} calls`
  if (isHttp && httpCalls >= limits.http_calls) return `a run may make ${limits.http_calls} http calls`
  if (text.length > limits.call_chars) return `a call may send ${limits.call_chars} characters`
  if (sentChars + text.length > limits.sent_chars) return `a run may send ${limits.sent_chars} characters`
  calls += 1
  httpCalls += isHttp ? 1 : 0
  sentChars += text.length
  return null
}

function failureAt(site, message) {
  const frames = indexOf(site.stack, '\n')
  setHidden(site, 'message', message)
  setHidden(site, 'stack', `Error: ${message}${frames < 0 ? '' : slice(site.stack, frames)}`)
  remember(hostFailures, site, true)
  return site
}

function call(operation, argument) {
  const site = new NativeError('')
  const text = `[${stringify(argument)}]`
  return new NativePromise((resolve, reject) => {
    const refused = refusal(operation, text)
    if (refused !== null) return reject(failureAt(site, `${operation}: ${refused}`))
    lastId += 1
    waiting[lastId] = { __proto__: null, resolve, reject, site, operation }
    host.call(lastId, operation, text)
  })
}

function settle(id, succeeded, text) {
  const entry = waiting[id]
  delete waiting[id]
  if (succeeded) entry.resolve(withGoSpellings(entry.operation, parse(text)))
  else entry.reject(failureAt(entry.site, text))
}

function withGoSpellings(operation, value) {
  if (operation !== 'idp.getAccessRequestApprovers' || !isArray(value)) return value
  for (let index = 0; index < value.length; index += 1) value[index].Email = value[index].email
  return value
}

// What each module does inside the isolate; the other functions of the table are plain host calls.

let config = create(null)
let secrets = create(null)

function getSecret(name) {
  const key = toText(name)
  if (hasOwn(secrets, key)) return secrets[key]
  throw new NativeError(`the secret "${key}" is not available to this task`)
}

const isRecord = (value) => typeof value === 'object' && value !== null

function textRecord(from) {
  const record = { __proto__: null }
  if (!isRecord(from)) return record
  const names = keys(from)
  for (let index = 0; index < names.length; index += 1) record[names[index]] = toText(from[names[index]])
  return record
}

const bodyText = (body) => {
  if (body === undefined || body === null) return null
  return isRecord(body) ? toText(stringify(body)) : toText(body)
}

const request = (method, url, headers, body) =>
  call('http.request', {
    __proto__: null,
    method,
    url: toText(url),
    headers: textRecord(headers),
    body: bodyText(body),
  })

function hasContentType(headers) {
  const names = keys(headers)
  for (let index = 0; index < names.length; index += 1)
    if (toUpperCase(names[index]) === 'CONTENT-TYPE') return true
  return false
}

const isOptions = (value) => isRecord(value) && hasOwn(value, 'headers')

/** `post(url, contentType, body)` or `post(url, body, { headers })`. */
function post(url, second, third) {
  if (typeof second === 'string' && third !== undefined && !isOptions(third))
    return request('POST', url, { __proto__: null, 'content-type': second }, third)
  const headers = textRecord(third?.headers)
  if (!hasContentType(headers)) headers['content-type'] = 'application/json'
  return request('POST', url, headers, second)
}

const implementations = {
  __proto__: null,
  'config.get': (key) => (hasOwn(config, toText(key)) ? config[toText(key)] : ''),
  'secrets.get': getSecret,
  'http.request': (options) =>
    request(toUpperCase(toText(options?.method ?? 'GET')), options?.url, options?.headers, options?.body),
  'http.get': (url, options) => request('GET', url, options?.headers, null),
  'http.post': post,
}

const implementationOf = (operation) =>
  implementations[operation] ?? ((argument) => call(operation, toText(argument)))

// Logging.

let loggedLines = 0

function shown(value) {
  try {
    if (typeof value === 'string') return value
    if (value instanceof NativeError) return `${value.name}: ${value.message}`
    return isRecord(value) ? toText(stringify(value)) : toText(value)
  } catch {
    return '[unprintable]'
  }
}

function log(level, values) {
  loggedLines += 1
  if (loggedLines > limits.log_lines) return
  let text = ''
  for (let index = 0; index < values.length && text.length <= limits.line_chars; index += 1)
    text += (index > 0 ? ' ' : '') + shown(values[index])
  host.log(level, text.length > limits.line_chars ? `${slice(text, 0, limits.line_chars - 1)}…` : text)
}

const logger =
  (level) =>
  (...values) =>
    log(level, values)

// The end of a run.

function describe(thrown) {
  const parts = { __proto__: null, name: '', message: '', stack: '' }
  try {
    if (!isRecord(thrown) && typeof thrown !== 'function') parts.message = toText(thrown)
    else {
      parts.message = toText(thrown.message ?? shown(thrown))
      parts.name = toText(thrown.name ?? '')
      parts.stack = toText(thrown.stack ?? '')
    }
  } catch {
    parts.message ||= 'the thrown value cannot be described'
  }
  parts.name = slice(parts.name, 0, 100)
  parts.message = slice(parts.message, 0, 2000)
  parts.stack = slice(parts.stack, 0, 8000)
  return parts
}

function resultText(value) {
  if (value === undefined || value === null) return null
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new NativeTypeError(`run returned a ${typeof value}; return a string`)
  return isRecord(value) ? (stringify(value) ?? null) : toText(value)
}

function returned(value) {
  const result = resultText(value)
  if (result !== null && result.length > limits.result_bytes) return { __proto__: null, ended_by: 'output' }
  return { __proto__: null, ended_by: 'returned', result }
}

function threw(thrown) {
  const known = isRecord(thrown) && recall(hostFailures, thrown) === true
  return { __proto__: null, ended_by: known ? 'host_call' : 'threw', thrown: describe(thrown) }
}

async function run(script) {
  let outcome
  try {
    outcome = returned(await script())
  } catch (thrown) {
    outcome = threw(thrown)
  }
  outcome.dropped_lines = loggedLines > limits.log_lines ? loggedLines - limits.log_lines : 0
  host.end(stringify(outcome))
}

function begin(configText, secretsText) {
  config = parse(configText)
  secrets = parse(secretsText)
}

function shareModules({ api, levels }) {
  for (const module of keys(api)) {
    const functions = { __proto__: null }
    for (const [name, operation] of Object.entries(api[module])) functions[name] = implementationOf(operation)
    share(module, freeze(functions))
  }
  const log = logger('info')
  const console = { __proto__: null, log }
  for (const level of levels) console[level] = log[level] = logger(level)
  share('log', freeze(log))
  share('console', freeze(console))
}

/** Readies the global object for a script and gives the host its control; `settings` is JSON. */
// oxlint-disable-next-line no-unused-vars -- isolate.cjs appends the call
function prepare(call, log, end, settings) {
  const given = parse(settings)
  host = { __proto__: null, call, log, end }
  limits = given.limits
  shareModules(given)
  return freeze({ __proto__: null, begin, run, settle })
}
