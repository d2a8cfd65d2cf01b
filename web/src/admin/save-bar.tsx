import { Group, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'

import { isProblem, sayFields } from '../api/problem.ts'
import { BusyButton } from '../ui/busy-button.tsx'
import { Refusal } from '../ui/states.tsx'
import type { Form } from './use-form.ts'

type SaveBarProps = {
  form: Pick<Form<object>, 'error' | 'errors' | 'isSaving'>
  label?: string
  /** Why it cannot be saved now. */
  blocked?: string | undefined
  /** What else can be done with the form. */
  children?: ReactNode
}

/** The end of a form: why the last save was refused, and the button. */
export function SaveBar({ form, label = 'Save', blocked, children }: SaveBarProps) {
  const { error, isSaving } = form
  return (
    <Stack gap="sm">
      {error !== null && !isProblem(error, 'precondition_failed') && <Refused error={error} />}
      <Group gap="md">
        <BusyButton type="submit" loading={isSaving} disabled={blocked !== undefined}>
          {label}
        </BusyButton>
        {children}
        {blocked !== undefined && <Text role="status">{blocked}</Text>}
      </Group>
    </Stack>
  )
}

function Refused({ error }: { error: Error }) {
  const fields = sayFields(error)
  if (fields.length === 0) return <Refusal error={error} />
  return <Refusal title="Not saved: this has to be mended" error={new Error(fields.join('\n'))} />
}
