/** Random choices that a seed repeats (mulberry32). */
export type Random = {
  /** From 0 up to, but not including, `below`. */
  whole(below: number): number
  isLucky(share: number): boolean
  pick<Item>(items: readonly [Item, ...Item[]]): Item
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296
  }
  const whole = (below: number) => Math.floor(next() * below)
  return {
    whole,
    isLucky: (share) => next() < share,
    pick: ([first, ...rest]) => {
      const index = whole(rest.length + 1)
      return index === 0 ? first : (rest[index - 1] ?? first)
    },
  }
}
