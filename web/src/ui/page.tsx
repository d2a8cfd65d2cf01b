import { Text, Title } from '@mantine/core'
import { useEffect, useRef, type ReactNode } from 'react'

import classes from './page.module.css'

type PageProps = {
  title: string
  /** What this page is for, in a sentence. */
  about?: ReactNode
  /** Buttons beside the title. */
  actions?: ReactNode
  /** As wide as the window: for lists and editors. */
  wide?: boolean
  children: ReactNode
}

/** A page: its heading, which gets the focus when one arrives, the document's title, its content. */
export function Page({ title, about, actions, wide = false, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Hallpass`
  }, [title])
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  return (
    <div className={wide ? classes.wide : classes.page}>
      <header className={classes.header}>
        <div>
          <Title order={1} size="h2" ref={heading} tabIndex={-1} className={classes.title}>
            {title}
          </Title>
          {about !== undefined && (
            <Text c="dimmed" component="div">
              {about}
            </Text>
          )}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}
