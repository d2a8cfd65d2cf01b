import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { useEffect, useState } from 'react'

import { useFocusLeft } from '../ui/use-focus-left.ts'
import classes from './shown-once.module.css'

type ShownOnceProps = { title: string; values: [name: string, value: string][]; onDone: () => void }

/** What the server tells a single time: it stays until the reader says that it is kept. */
export function ShownOnce({ title, values, onDone }: ShownOnceProps) {
  const place = useFocusLeft<HTMLDivElement>()
  useEffect(() => place.current?.focus(), [place])
  return (
    <Alert role="alert" title={title} ref={place} tabIndex={-1}>
      <Stack gap="sm" align="flex-start">
        <Text>It is shown now and never again. Keep it where secrets are kept.</Text>
        {values.map(([name, value]) => (
          <Value key={name} name={name} value={value} />
        ))}
        <Button size="xs" variant="default" onClick={onDone}>
          I have kept it
        </Button>
      </Stack>
    </Alert>
  )
}

function Value({ name, value }: { name: string; value: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = () => void navigator.clipboard.writeText(value).then(() => setCopied(true))
  return (
    <Group gap="sm">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <code className={classes.value}>{value}</code>
      {'clipboard' in navigator && (
        <Button size="compact-xs" variant="default" onClick={copy}>
          {isCopied ? 'Copied' : `Copy ${name.toLowerCase()}`}
        </Button>
      )}
    </Group>
  )
}
