import { useLayoutEffect, useRef, type RefObject } from 'react'

/** The heading of the part that this stands in. */
export const headingNear = (element: Element): HTMLElement | null =>
  element.closest('section')?.querySelector('h2') ?? document.querySelector('main h1')

/** When this goes away with the focus in it, the heading of the part that it stood in gets the focus. */
export function useFocusLeft<Place extends HTMLElement>(): RefObject<Place | null> {
  const place = useRef<Place>(null)
  useLayoutEffect(() => {
    const element = place.current
    return () => {
      if (element?.contains(document.activeElement)) headingNear(element)?.focus({ preventScroll: true })
    }
  }, [])
  return place
}
