import { Button, type ButtonProps } from '@mantine/core'
import { useEffect, useLayoutEffect, useRef, type ButtonHTMLAttributes } from 'react'

import { headingNear } from './use-focus-left.ts'

type BusyButtonProps = ButtonProps & { loading: boolean } & Pick<
    ButtonHTMLAttributes<HTMLButtonElement>,
    'type' | 'onClick'
  >

/**
 * A button whose work takes a while. It is disabled meanwhile, which takes the focus from it: it gets that back, or the
 * heading near it where it is gone by then.
 */
export function BusyButton(props: BusyButtonProps) {
  const button = useRef<HTMLButtonElement>(null)
  const hadFocus = useRef(false)
  useLayoutEffect(() => {
    if (props.loading) hadFocus.current = document.activeElement === button.current
  }, [props.loading])
  useEffect(() => {
    if (props.loading || !hadFocus.current) return
    hadFocus.current = false
    if (document.activeElement === document.body) button.current?.focus()
  }, [props.loading])
  useLayoutEffect(() => {
    const element = button.current
    return () => {
      if (element !== null && hadFocus.current && document.activeElement === document.body)
        headingNear(element)?.focus({ preventScroll: true })
    }
  }, [])
  return <Button ref={button} {...props} />
}
