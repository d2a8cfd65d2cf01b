// Runs first inside the isolate, as the body of a function: it removes what would let a script pass the limits.
'use strict'

const NativeTypeError = TypeError
const NativeArrayBuffer = ArrayBuffer

const lock = (object, name, value) =>
  Object.defineProperty(object, name, { value, writable: false, enumerable: false, configurable: false })

const lacking = ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'WeakRef', 'FinalizationRegistry', 'console']
const compilers = ['eval', 'Function', 'escape', 'unescape']
for (const name of [...lacking, ...compilers]) delete globalThis[name]
for (const made of [function () {}, async function () {}, function* () {}, async function* () {}])
  lock(Object.getPrototypeOf(made), 'constructor', undefined)

lock(Error, 'prepareStackTrace', undefined)
lock(Error, 'stackTraceLimit', 20)
lock(Error, 'captureStackTrace', () => undefined)

// Resizable buffers take their pages from outside the heap that the memory limit counts.
function FixedArrayBuffer(length, options) {
  if (new.target === undefined) throw new NativeTypeError("Constructor ArrayBuffer requires 'new'")
  if (options !== undefined) throw new NativeTypeError('a resizable ArrayBuffer is not available to scripts')
  return new NativeArrayBuffer(length)
}
lock(FixedArrayBuffer, 'prototype', NativeArrayBuffer.prototype)
lock(FixedArrayBuffer, 'isView', (value) => NativeArrayBuffer.isView(value))
lock(FixedArrayBuffer, 'name', 'ArrayBuffer')
lock(NativeArrayBuffer.prototype, 'constructor', FixedArrayBuffer)
for (const name of ['resize', 'transfer', 'transferToFixedLength', 'transferToImmutable'])
  delete NativeArrayBuffer.prototype[name]
lock(globalThis, 'ArrayBuffer', FixedArrayBuffer)
