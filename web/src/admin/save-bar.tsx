import { Button, Group, Stack, Text } from '@mantine/core'

import { isProblem } from '../api/problem.ts'
import { Refusal } from '../ui/states.tsx'
import type { Form } from './use-form.ts'

type SaveBarProps = {
  form: Pick<Form<object>, 'error' | 'errors' | 'isSaving'>
  label?: string
  /** Why it cannot be saved now. */
  blocked?: string | undefined
}

/** The end of a form: why the last save was refused, and the button. */
export function SaveBar({ form, label = 'Save', blocked }: SaveBarProps) {
  const { error, isSaving } = form
  return (
    <Stack gap="sm">
      {error !== null && !isProblem(error, 'precondition_failed') && <Refusal error={error} />}
      <Group gap="md">
        <Button type="submit" loading={isSaving} disabled={blocked !== undefined}>
          {label}
        </Button>
        {blocked !== undefined && <Text role="status">{blocked}</Text>}
      </Group>
    </Stack>
  )
}
