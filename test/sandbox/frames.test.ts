import { Buffer } from 'node:buffer'

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createFrameReader, encodeFrame, FrameRefused } from '../../sandbox/wire/frames.ts'
import { readMessage } from '../../sandbox/wire/messages.ts'

/** Cuts bytes at the given places, as a pipe would. */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort(
    (one, other) => one - other,
  )
  return [...ends, bytes.length].map((end, index, all) =>
    bytes.subarray(index === 0 ? 0 : all[index - 1], end),
  )
}

const places = fc.array(fc.nat(), { maxLength: 20 })

describe('frames', () => {
  it('come out as they went in, however the pipe cuts them', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 8 }), places, (messages, at) => {
        const read = createFrameReader(1 << 20)
        const received = cut(Buffer.concat(messages.map(encodeFrame)), at).flatMap((chunk) => read(chunk))
        expect(received).toEqual(JSON.parse(JSON.stringify(messages)))
      }),
    )
  })

  it('of any bytes are messages or a refusal, and nothing larger than the limit is kept', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), places, (bytes, at) => {
        const read = createFrameReader(64)
        try {
          for (const chunk of cut(Buffer.from(bytes), at))
            for (const message of read(chunk)) readMessage(message)
        } catch (error) {
          expect(error).toBeInstanceOf(FrameRefused)
        }
      }),
    )
  })

  it('are refused by their header, before their body has come', () => {
    const read = createFrameReader(100)
    expect(read(Buffer.from([101, 0, 0]))).toEqual([])
    expect(() => read(Buffer.from([0]))).toThrow(FrameRefused)
  })

  it('are read in time that grows with their size alone', () => {
    const frame = encodeFrame('x'.repeat(500_000))
    const read = createFrameReader(1 << 20)
    const startedAt = process.cpuUsage()
    const received = []
    for (let at = 0; at < frame.length; at += 100) received.push(...read(frame.subarray(at, at + 100)))
    expect(received).toHaveLength(1)
    expect(process.cpuUsage(startedAt).user).toBeLessThan(500_000)
  })
})

describe('messages of a child', () => {
  const done = { type: 'done', ended_by: 'threw', result: null, dropped_lines: 0, cpu_ms: null }
  const error = { message: 'm', line: 1, column: null }

  it('are taken when they are exactly what they should be', () => {
    const messages = [
      { type: 'ready' },
      { type: 'log', level: 'warn', text: '' },
      { type: 'call', id: 0, operation: 'http.request', args: [] },
      { ...done, error },
      { ...done, error: null },
    ]
    for (const message of messages) expect(readMessage(message)).toBe(message)
  })

  it('are refused otherwise', () => {
    const messages = [
      { type: 'ready', now: true },
      { type: 'log', level: 'warn', text: 1 },
      { type: 'call', id: 0, operation: 'http.get', args: [] },
      { type: 'call', id: Number.NaN, operation: 'http.request', args: [] },
      { ...done, error: { ...error, stack: '' } },
      { ...done, error: 'text' },
      Object.create({ type: 'ready' }),
      'ready',
      null,
      [],
    ]
    for (const message of messages) expect(readMessage(message)).toBeNull()
  })

  it('never pass when anything was added, taken away or changed', () => {
    const message = { ...done, error }
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (name, value) => {
        const changed = { ...message, [name]: value }
        const isSame = Object.hasOwn(message, name)
        expect(readMessage(changed) === null || isSame).toBe(true)
      }),
    )
    for (const name of Object.keys(message)) {
      const shorter: Record<string, unknown> = { ...message }
      delete shorter[name]
      expect(readMessage(shorter)).toBeNull()
    }
  })

  it('of any shape are read without an error', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        readMessage(value)
      }),
    )
  })
})
