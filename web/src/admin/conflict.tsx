import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'

import { Refusal } from '../ui/states.tsx'
import type { Versioned } from './queries.ts'
import type { Edit } from './use-form.ts'

const unseen = new Set(['updated_at', 'version'])

/** The names of the members that differ, as people read them. */
function findChanged(before: object, now: object): string[] {
  const old = new Map(Object.entries(before))
  return Object.entries(now)
    .filter(([key, value]) => !unseen.has(key) && JSON.stringify(value) !== JSON.stringify(old.get(key)))
    .map(([key]) => key.replaceAll('_', ' '))
}

type ConflictProps<Resource, Draft> = {
  edit: Edit<Resource, Draft>
  read: () => Promise<Versioned<Resource>>
}

/** Somebody else saved first: says so, what they changed, and what can be done. Nothing typed is lost meanwhile. */
export function Conflict<Resource extends object, Draft>({ edit, read }: ConflictProps<Resource, Draft>) {
  const look = useMutation({ mutationFn: read })
  const { mutate } = look
  if (!edit.isConflict) return null
  const changed = look.data && findChanged(edit.base, look.data.resource)
  const withLatest = (act: (now: Versioned<Resource>) => void) => () => mutate(undefined, { onSuccess: act })
  return (
    <Alert role="alert" title="Somebody else has saved this while you were editing">
      <Stack gap="sm" align="flex-start">
        <Text>
          Your changes are not saved. They are still in this form: copy what you need before you load theirs.
        </Text>
        {changed && (
          <Text>
            {changed.length > 0 ? `They changed: ${changed.join(', ')}.` : 'They changed nothing that shows.'}
          </Text>
        )}
        {look.error !== null && <Refusal error={look.error} />}
        <Group gap="sm">
          <Button size="xs" variant="default" onClick={() => mutate()}>
            See what they changed
          </Button>
          <Button size="xs" variant="default" onClick={withLatest(edit.startAnew)}>
            Load what is saved now
          </Button>
          <Button size="xs" variant="default" onClick={withLatest(edit.overwrite)}>
            Save mine over it
          </Button>
        </Group>
      </Stack>
    </Alert>
  )
}
