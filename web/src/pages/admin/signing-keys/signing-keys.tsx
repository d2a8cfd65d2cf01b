import { notifications } from '@mantine/notifications'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { SigningKey } from '../../../../../domain/signing-key.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { Table, type Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { allOf } from '../../../api/queries.ts'
import { BusyButton } from '../../../ui/busy-button.tsx'
import { Instant } from '../../../ui/instant.tsx'
import { Mark } from '../../../ui/marks.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Refusal } from '../../../ui/states.tsx'

const states: Record<SigningKey['state'], { tone: 'good' | 'waiting' | 'neutral' | 'bad'; word: string }> = {
  published: { tone: 'waiting', word: 'Signs next' },
  signing: { tone: 'good', word: 'Signs' },
  verifying: { tone: 'neutral', word: 'Still believed' },
  gone: { tone: 'neutral', word: 'Gone' },
  removed: { tone: 'bad', word: 'Taken away' },
}

const isLive = ({ state }: SigningKey): boolean => ['published', 'signing', 'verifying'].includes(state)

const columns: Column<SigningKey>[] = [
  { name: 'Key', cell: ({ kid }) => <code>{kid}</code> },
  { name: 'State', cell: ({ state }) => <Mark tone={states[state].tone}>{states[state].word}</Mark> },
  { name: 'Signs from', cell: ({ signs_from }) => <Instant at={signs_from} /> },
  { name: 'Until', cell: ({ stops_at }) => (stops_at === null ? '—' : <Instant at={stops_at} />) },
  { name: 'What to do', cell: (key) => isLive(key) && <Removal signingKey={key} /> },
]

/** The keys that sign tokens: they change by themselves; by hand in an emergency. */
export function SigningKeys() {
  const client = useQueryClient()
  const keys = useQuery({
    queryKey: ['signing-keys'],
    queryFn: ({ signal }) => allOf((query) => call('GET /signing-keys', { query, signal })),
  })
  const rotate = useMutation({
    mutationFn: () => call('POST /signing-keys/rotate', {}),
    onSuccess: () => {
      notifications.show({ message: 'The next key is shown to everybody, and signs soon.' })
      return client.invalidateQueries({ queryKey: ['signing-keys'] })
    },
  })
  return (
    <Page
      title="Signing keys"
      about="They sign the tokens, and change by themselves. Private parts are never shown."
      actions={
        <BusyButton variant="default" loading={rotate.isPending} onClick={() => rotate.mutate()}>
          Change the key soon
        </BusyButton>
      }
      wide
    >
      {rotate.error !== null && <Refusal error={rotate.error} />}
      <Arriving query={keys}>
        {(items) => (
          <Table label="Signing keys" columns={columns} items={items.toReversed()} keyOf={({ kid }) => kid} />
        )}
      </Arriving>
    </Page>
  )
}

function Removal({ signingKey: { kid } }: { signingKey: SigningKey }) {
  return (
    <DeleteButton
      label={`Take ${kid.slice(0, 6)} away`}
      question="Take this key away at once?"
      consequence="For emergencies, a key that leaked: what it has signed is believed no more, and whoever holds such a token needs another one."
      said="The key is taken away."
      keys={['signing-keys']}
      size="xs"
      remove={() => call('DELETE /signing-keys/{kid}', { params: { kid } })}
    />
  )
}
