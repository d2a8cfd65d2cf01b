import { describe, expect, it } from 'vitest'

import { createLane } from '../../sandbox/lane.ts'

const pause = (time_ms: number) => new Promise((resolve) => setTimeout(resolve, time_ms))

describe('a lane', () => {
  it('gives its places at once and the next when one is left, in order', async () => {
    const lane = createLane(1, 10)
    const order: string[] = []
    expect(await lane.enter(50, undefined)).toBeNull()
    const second = lane.enter(1_000, undefined).then(() => order.push('second'))
    const third = lane.enter(1_000, undefined).then(() => order.push('third'))
    await pause(5)
    expect(order).toEqual([])
    lane.leave()
    await second
    expect(order).toEqual(['second'])
    lane.leave()
    await third
    expect(order).toEqual(['second', 'third'])
  })

  it('refuses who has waited long enough, and who finds the queue full', async () => {
    const lane = createLane(1, 1)
    await lane.enter(0, undefined)
    const waiting = lane.enter(20, undefined)
    expect(await lane.enter(20, undefined)).toBe('saturated')
    expect(await waiting).toBe('saturated')
    lane.leave()
    expect(await lane.enter(0, undefined)).toBeNull()
  })

  it('lets who is cancelled go, before and while it waits', async () => {
    const lane = createLane(1, 5)
    await lane.enter(0, undefined)
    expect(await lane.enter(1_000, AbortSignal.abort())).toBe('cancelled')
    const controller = new AbortController()
    const waiting = lane.enter(1_000, controller.signal)
    controller.abort()
    expect(await waiting).toBe('cancelled')
  })

  it('loses no place when waiting ends in the moment a place is left', async () => {
    const lane = createLane(1, 5)
    await lane.enter(0, undefined)
    const controller = new AbortController()
    const waiting = lane.enter(1_000, controller.signal)
    controller.abort()
    lane.leave()
    expect(await waiting).toBe('cancelled')
    expect(await lane.enter(0, undefined)).toBeNull()
  })
})
