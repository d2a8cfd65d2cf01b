import { describe, expect, it } from 'vitest'

import { assertSafeVersion } from '../../sandbox/walls/addon.ts'
import { openSandbox } from './harness.ts'

const { run, runBody, expectNextRunToWork } = await openSandbox({ pool_size: 2 })

const approvers = { 'idp.getAccessRequest': async () => ({ id: 'r1' }) }

/** Runs an attack, expects it to have found what is given, and the sandbox to be whole afterwards. */
async function expectFound(body: string, found: string) {
  const result = await runBody(body, { handlers: approvers })
  expect(result).toMatchObject({ ended_by: 'returned', result: found })
  await expectNextRunToWork()
}

describe('a script cannot leave the isolate', () => {
  it('by polluting the options of host calls (ref-options-pollution)', async () => {
    const pollution = 'reference result promise copy externalCopy transferOut arguments timeout unsafeInherit'
    const body = `
      for (const name of '${pollution}'.split(' ')) Object.prototype[name] = true
      const request = await idp.getAccessRequest('r1')
      return [request.id, typeof request, Object.getPrototypeOf(request) === Object.prototype].join()`
    await expectFound(body, 'r1,object,true')
  })

  it('by polluting what an external copy reads (externalcopy-pollution)', async () => {
    const body = `
      for (const name of ['transferList', 'transferIn', 'release', 'length', 'byteLength', 'constructor'])
        Object.defineProperty(Object.prototype, name, { get() { return 7 }, set() {}, configurable: true })
      log({ a: 1 }, [1], new Uint8Array(4), new Map([[1, 2]]), new Date(0))
      return (await idp.getAccessRequest('r1')).id`
    await expectFound(body, 'r1')
  })

  it('by stealing a caller from a sloppy function (callee-caller-steal)', async () => {
    const body = `
      const stolen = []
      const steal = {
        toString() { try { stolen.push(steal.toString.caller) } catch (error) { stolen.push(error.name) } return 'x' },
      }
      log(steal); config.get(steal); await idp.getAccessRequest(steal)
      let args = 'none'
      try { args = (function () { return arguments.callee })() } catch (error) { args = error.name }
      return [...new Set(stolen)].join() + ' ' + args`
    await expectFound(body, 'TypeError TypeError')
  })

  it('because no class of isolated-vm can be reached from any object (no-ivm-class-reachable)', async () => {
    const body = `
      const seen = new Set(), found = [], queue = [[globalThis, 'globalThis']]
      const names = /^(Reference|ExternalCopy|Isolate|Callback|Transferable|Dereference|Copy|Context|Module|NativeModule|Script)$/
      while (queue.length > 0) {
        const [value, path] = queue.pop()
        if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue
        seen.add(value)
        if (typeof value === 'function' && names.test(value.name)) found.push(path)
        queue.push([Object.getPrototypeOf(value), path + '.__proto__'])
        for (const key of Reflect.ownKeys(value)) {
          const descriptor = Object.getOwnPropertyDescriptor(value, key)
          for (const part of ['value', 'get', 'set']) queue.push([descriptor[part], path + '.' + String(key)])
        }
      }
      return seen.size > 500 ? found.join() || 'nothing' : 'looked at ' + seen.size`
    await expectFound(body, 'nothing')
  })

  it('by the constructor of a function that it was given (callback-constructor, function-constructors)', async () => {
    const body = `
      const functions = [log, config.get, http.get, idp.getAccessRequest, console.log, class {}, () => 1,
        async () => 1, function* () {}, async function* () {}]
      return [...functions.map((each) => typeof each.constructor), typeof eval, typeof Function].join()`
    await expectFound(body, Array(12).fill('undefined').join())
  })

  it('by getters on what it passes (callback-arg-getter)', async () => {
    const body = `
      let reads = 0
      const trap = new Proxy({}, { get(_, key) { reads += 1; return key === Symbol.toPrimitive ? () => 'r1' : undefined } })
      const { id } = await idp.getAccessRequest(trap)
      log(trap)
      return id + (reads > 0)`
    await expectFound(body, 'r1true')
  })

  it('and finds no process, require, import or fetch (process-require-absent)', async () => {
    const names =
      'process require module exports global Buffer setTimeout setInterval queueMicrotask fetch Worker'
    const body = `
      const names = '${names} SharedArrayBuffer Atomics WebAssembly WeakRef FinalizationRegistry'.split(' ')
      return names.filter((name) => name in globalThis).join() || 'nothing'`
    await expectFound(body, 'nothing')
  })

  it('by importing at run time (dynamic-import)', async () => {
    const body = `
      const names = ['node:fs', 'fs', './x.js', 'file:///etc/passwd', 'data:text/javascript,1', 'config']
      const ends = await Promise.all(names.map((name) => import(name).then(() => name, (error) => error.message)))
      return [...new Set(ends)].join()`
    await expectFound(body, 'Not supported')
  })

  it('by importing what is not a host module (static-import)', async () => {
    for (const name of ['node:fs', 'isolated-vm', 'constructor', '__proto__', 'toString']) {
      const result = await run(`import * as all from '${name}'\nexport const run = () => 'in'`)
      const message = `the module "${name}" is not available to scripts`
      expect(result).toMatchObject({ ended_by: 'invalid', error: { message } })
    }
    await expectNextRunToWork()
  })

  it('by import.meta', async () => {
    await expectFound('return JSON.stringify(Object.keys(import.meta))', '[]')
  })
})

describe('a script cannot see the host in an error', () => {
  it('by formatting stacks itself (prepareStackTrace, callsite-getThis)', async () => {
    const body = `
      const got = []
      const hook = (_, sites) => { got.push(sites.map((site) => [site.getThis(), site.getFunction(), site.getFileName()])); return 'hooked' }
      for (const target of [Error, TypeError, Object.prototype, Object.getPrototypeOf(log)]) {
        try { target.prepareStackTrace = hook } catch {}
        try { Object.defineProperty(target, 'prepareStackTrace', { value: hook }) } catch {}
      }
      try { Error.stackTraceLimit = 1000 } catch {}
      const stack = new Error('x').stack
      const caught = await http.get('https://a').catch((error) => error.stack)
      return [typeof stack, got.length, stack === 'hooked', caught === 'hooked', Error.stackTraceLimit].join()`
    await expectFound(body, 'string,0,false,false,20')
  })

  it('in the stacks of its own and of failed calls (host-paths-in-stack)', async () => {
    const body = `
      const stacks = [new Error('x').stack]
      const keep = (error) => stacks.push(error.stack)
      await http.get('https://a').catch(keep)
      await import('fs').catch(keep)
      try { secrets.get('none') } catch (error) { keep(error) }
      try { http.post({ toString() { throw new Error('inner') } }) } catch (error) { keep(error) }
      try { null.x } catch (error) { keep(error) }
      try { (function deep() { deep() })() } catch (error) { keep(error) }
      return stacks.join('\\n')`
    const { result } = await runBody(body)
    expect(result?.match(/\bscript\.ts:\d+:\d+/g)?.length).toBeGreaterThan(5)
    expect(result).not.toMatch(/\/|isolated-vm|node:|\.cjs|file:/)
  })

  it('when a handler of the host fails (host-error-text)', async () => {
    const handlers = {
      'idp.getAccessRequest': () =>
        Promise.reject(Object.assign(new Error('open /srv/key'), { code: 'ENOENT' })),
      'idp.getAccessRequestApprovers': () => Promise.reject(new TypeError('sql.unsafe is not a function')),
      'http.request': () => {
        throw new Error('example.com is not on the egress list')
      },
    }
    const body = `
      const calls = [idp.getAccessRequest('r'), idp.getAccessRequestApprovers('r'), http.get('https://example.com')]
      return (await Promise.allSettled(calls)).map((end) => end.reason.message + Object.keys(end.reason)).join('; ')`
    const failures = [
      'idp.getAccessRequest failed',
      'idp.getAccessRequestApprovers failed',
      'http.request failed: example.com is not on the egress list',
    ]
    expect(await runBody(body, { handlers })).toMatchObject({ result: failures.join('; ') })
  })
})

describe('a script cannot turn the built-ins against its runtime', () => {
  it('by the species of promises and arrays (species-hook)', async () => {
    const body = `
      class Mine extends Promise {}
      Object.defineProperty(Promise, Symbol.species, { get: () => Mine })
      Object.defineProperty(Array, Symbol.species, { get: () => { throw new Error('hooked') } })
      Promise.prototype.constructor = Mine
      return (await idp.getAccessRequest('r1')).id`
    await expectFound(body, 'r1')
  })

  it('by the then of promises and objects (then-hook)', async () => {
    const body = `
      Promise.prototype.then = () => { throw new Error('hooked') }
      Promise.resolve = Promise.reject = undefined
      return (await idp.getAccessRequest('r1')).id`
    await expectFound(body, 'r1')
  })

  it('by JSON, toJSON and the text methods (json-hook)', async () => {
    const body = `
      const hooked = () => { throw new Error('hooked') }
      const text = Object.getPrototypeOf('')
      for (const name of ['slice', 'indexOf', 'toUpperCase', 'toString']) text[name] = hooked
      Object.prototype.toJSON = Array.prototype.toJSON = hooked
      JSON.parse = JSON.stringify = String = Object.keys = Object.hasOwn = hooked
      log('still here')
      return (await idp.getAccessRequest('r1')).id`
    await expectFound(body, 'r1')
  })

  it('by the iterator of arrays (iterator-hook)', async () => {
    const body = `
      Array.prototype[Symbol.iterator] = function* () { yield 'hooked' }
      Object.getPrototypeOf([][Symbol.iterator]()).next = () => { throw new Error('hooked') }
      log('a', 'b'); console.warn({ a: 1 })
      return (await http.post('https://a', { a: 1 }, { headers: { b: 'c' } }).catch((error) => error.message))`
    const { result, log } = await runBody(body)
    expect(result).toBe('http.request is not available to this run')
    expect(log.map(({ text }) => text)).toEqual(['a b', '{"a":1}'])
    await expectNextRunToWork()
  })

  it('by setters and accessors on the root prototype', async () => {
    const body = `
      for (const name of ['get', 'set', 'value', 'writable', 'resolve', 'ended_by', 'result', 'thrown', 'message', 'method', 'body', '1', '0'])
        Object.defineProperty(Object.prototype, name, { __proto__: null, get() { return 'polluted' }, set() { throw new Error('set') } })
      const refused = await http.get('https://a').catch((error) => error.message)
      return refused + (await idp.getAccessRequest('r1')).id`
    await expectFound(body, 'http.request is not available to this runr1')
  })

  it('by replacing what it was given', async () => {
    const body = `
      const attempts = [() => { config.get = 1 }, () => { globalThis.config = 1 }, () => { delete globalThis.http },
        () => { log.info = 1 }, () => { console.log = 1 }, () => { Error.prepareStackTrace = 1 }, () => { ArrayBuffer = 1 }]
      return attempts.map((attempt) => { try { attempt(); return 'done' } catch (error) { return error.name } }).join()`
    await expectFound(body, Array(7).fill('TypeError').join())
  })
})

it('runs share no state (state-between-runs)', async () => {
  const leave = 'globalThis.kept = 1; Array.prototype.kept = 1; Object.prototype.kept = 1; return "left"'
  expect(await runBody(leave)).toMatchObject({ result: 'left' })
  expect(await runBody('return String([globalThis.kept, [].kept, {}.kept])')).toMatchObject({ result: ',,' })
})

it('isolated-vm with a known way out is refused (version-floor)', () => {
  for (const version of ['6.2.0', '7.0.0', '5.9.9', '7.0', 'latest', ''])
    expect(() => assertSafeVersion(version)).toThrow('not safe')
  for (const version of ['7.0.1', '7.0.2', '7.1.0', '8.0.0', '10.0.0'])
    expect(() => assertSafeVersion(version)).not.toThrow()
})
