import { Stack, Text, Title } from '@mantine/core'
import { useId, type ReactNode } from 'react'

import classes from './section.module.css'

/** A part of a page under a heading of its own. */
export function Section({
  title,
  about,
  children,
}: {
  title: string
  about?: ReactNode
  children: ReactNode
}) {
  const id = useId()
  return (
    <section aria-labelledby={id} className={classes.section}>
      <div>
        <Title order={2} size="h4" id={id} tabIndex={-1}>
          {title}
        </Title>
        {about !== undefined && (
          <Text size="sm" c="dimmed" component="div">
            {about}
          </Text>
        )}
      </div>
      <Stack gap="md">{children}</Stack>
    </section>
  )
}
