import { describe, expect, it, onTestFinished } from 'vitest'

import { openSandbox } from './harness.ts'

const limits = { slice_ms: 4_000, cpu_ms: 4_000, heap_mb: 32, resident_mb: 160 }
const { runBody, expectNextRunToWork } = await openSandbox({ pool_size: 2, limits })

/** Runs an attack on memory, expects one of the ends, and the sandbox to be whole afterwards. */
async function expectEnd(body: string, ...ends: string[]) {
  const result = await runBody(body)
  expect(ends).toContain(result.ended_by)
  await expectNextRunToWork()
  return result
}

/** With time enough for a slow machine to come to the end of the memory first. */
async function expectMemoryEnd(body: string) {
  const patient = await openSandbox(
    { limits: { ...limits, slice_ms: 25_000, cpu_ms: 25_000 } },
    onTestFinished,
  )
  const { ended_by, error } = await patient.runBody(body, { deadline_ms: 25_000 })
  expect(ended_by).toBe('memory')
  await patient.expectNextRunToWork()
  return error
}

describe('a script that takes too much memory is ended', () => {
  it('by growing an array (heap-array)', async () => {
    const error = await expectMemoryEnd('const all = []; for (;;) all.push({ at: all.length })')
    expect(error).toEqual({ message: 'The script used more memory than it may.', line: null, column: null })
  })

  it('by growing a map (map-growth)', async () => {
    await expectEnd(
      'const all = new Map(); for (let i = 0; ; i += 1) all.set(i, i)',
      'memory',
      'cpu',
      'slice',
    )
  })

  it('by one text of half a gigabyte (half-GB-string)', async () => {
    await expectEnd('return encodeURIComponent("ẛ".repeat(1e8)).length', 'memory')
    await expectEnd('return "ẛ".repeat(1e8).normalize("NFKD").length', 'memory')
  })

  it('by typed arrays, together or at once (typed-arrays)', async () => {
    await expectEnd('const all = []; for (;;) all.push(new Uint8Array(1e6))', 'threw', 'memory')
    await expectEnd('return new Uint8Array(2e9).length', 'threw', 'memory')
    await expectMemoryEnd(
      'const all = []; for (;;) { const one = new Uint32Array(8); all.push(one, one.buffer) }',
    )
  })

  it('by memory outside the heap, which the process is watched for (rss-watchdog)', async () => {
    const result = await expectEnd(
      'const one = "x".repeat(2 ** 28); return [one + 1, one + 2].map((each) => each.split("").length).join()',
      'memory',
    )
    expect(result.duration_ms).toBeLessThan(4_000)
  })
})

describe('a script is not given what would pass the limits', () => {
  it('resizable buffers (resizable-buffer)', async () => {
    const message = 'TypeError: a resizable ArrayBuffer is not available to scripts'
    for (const made of [
      'new ArrayBuffer(8, { maxByteLength: 2 ** 30 })',
      'Reflect.construct(ArrayBuffer, [8, {}], Uint8Array)',
    ])
      expect(await runBody(`return ${made}`)).toMatchObject({ ended_by: 'threw', error: { message } })
    const body =
      'const { prototype } = ArrayBuffer; return ["resize", "transfer", "transferToFixedLength"].filter((name) => name in prototype).join()'
    expect(await runBody(body)).toMatchObject({ result: '' })
  })

  it('resizable buffers by another way to their constructor (buffer-subclass)', async () => {
    const ways = [
      '(class extends ArrayBuffer { constructor() { super(8, { maxByteLength: 2 ** 30 }) } })',
      'new Uint8Array(8).buffer.constructor',
      'new DataView(new ArrayBuffer(8)).buffer.constructor',
      'Object.getPrototypeOf(new ArrayBuffer(8)).constructor',
    ]
    for (const way of ways) {
      const body = `const Way = ${way}; const made = new Way(8, { maxByteLength: 2 ** 30 }); return made.resizable`
      expect(await runBody(body)).toMatchObject({ ended_by: 'threw' })
    }
    await expectNextRunToWork()
  })

  it('shared memory (growable-sab) and WebAssembly memory (wasm-memory)', async () => {
    for (const [name, made] of [
      ['SharedArrayBuffer', 'new SharedArrayBuffer(8, { maxByteLength: 2 ** 30 })'],
      ['WebAssembly', 'new WebAssembly.Memory({ initial: 1000 })'],
    ] as const)
      expect(await runBody(`return ${made}`)).toMatchObject({
        ended_by: 'threw',
        error: { message: `ReferenceError: ${name} is not defined` },
      })
  })

  it('a buffer that is not resizable works as ever', async () => {
    const body =
      'const made = new ArrayBuffer(8); return [made.byteLength, made instanceof ArrayBuffer, ArrayBuffer.isView(new Uint8Array(made)), made.slice(2).byteLength].join()'
    expect(await runBody(body)).toMatchObject({ result: '8,true,true,6' })
  })
})

describe('depth', () => {
  it('of data ends the script, not the product (deep-json)', async () => {
    await expectEnd('let deep = []; for (let i = 0; i < 1e5; i += 1) deep = [deep]; return deep', 'threw')
    await expectEnd(
      'let deep = []; for (let i = 0; i < 1e5; i += 1) deep = [deep]; log(deep); return "x"',
      'returned',
    )
    const body =
      'return await http.post("https://a", "[".repeat(1e5) + "]".repeat(1e5)).catch((error) => error.message)'
    expect(await runBody(body)).toMatchObject({ result: 'http.request is not available to this run' })
  })

  it('of calls is an error that the script can handle (deep-recursion)', async () => {
    const { error } = await expectEnd('const deeper = () => deeper() + 1; return deeper()', 'threw')
    expect(error?.message).toBe('RangeError: Maximum call stack size exceeded')
  })
})
