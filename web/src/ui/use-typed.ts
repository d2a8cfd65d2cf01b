import { useEffect, useState } from 'react'

/**
 * A field whose text another place holds, an address say, which takes its time to change: what is typed stands at once
 * and is told after a pause; what changes elsewhere shows as soon as nobody is typing.
 */
export function useTyped(value: string, tell: (text: string) => void, pauseMs = 0) {
  const [typed, setTyped] = useState<string>()
  useEffect(() => {
    if (typed === undefined) return undefined
    const timer = setTimeout(() => (typed === value ? setTyped(undefined) : tell(typed)), pauseMs)
    return () => clearTimeout(timer)
  })
  return [typed ?? value, setTyped] as const
}
