import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import type { Credential } from '../../../../../domain/credential.ts'
import type { Identity } from '../../../../../domain/directory.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { credentialsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { ShownOnce } from '../../../admin/shown-once.tsx'
import { Table, type Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { Ago, Instant } from '../../../ui/instant.tsx'
import { Arriving } from '../../../ui/states.tsx'
import { CredentialForm } from './credential-form.tsx'

const types = {
  client_secret: 'Client secret',
  public_key: 'Public key',
  federated: 'Federated workload',
} as const

/** What tells one credential from another; the ids of those made together begin alike. */
function sayWhich({ type, kid, subject, issuer, id }: Credential): string {
  if (type === 'public_key') return `key ${kid ?? ''}`
  if (type === 'federated') return `${subject ?? ''} of ${issuer ?? ''}`
  return `secret ${id.slice(-8)}`
}

const columns: Column<Credential>[] = [
  { name: 'Type', cell: ({ type }) => types[type] },
  { name: 'Which', cell: sayWhich },
  { name: 'Made', cell: ({ created_at }) => <Instant at={created_at} /> },
  {
    name: 'Last used',
    cell: ({ last_used_at }) => (last_used_at === null ? 'Never' : <Ago at={last_used_at} />),
  },
  {
    name: 'Ends',
    cell: ({ expires_at }) => (expires_at === null ? 'Never' : <Instant at={expires_at} />),
  },
  { name: 'What to do', cell: (credential) => <Deletion credential={credential} /> },
]

/** How a machine proves that it is itself. */
export function Credentials({ identity }: { identity: Identity }) {
  const credentials = useQuery(credentialsQuery(identity.id))
  const [secret, setSecret] = useState<string>()
  return (
    <Section
      title="Credentials"
      about={
        <>
          How it gets tokens, as client <code>{identity.id}</code>.
        </>
      }
    >
      {secret !== undefined && (
        <ShownOnce
          key={secret}
          title="The client secret is made"
          values={[
            ['Client id', identity.id],
            ['Client secret', secret],
          ]}
          onDone={() => setSecret(undefined)}
        />
      )}
      <Arriving query={credentials} rows={1}>
        {(items) =>
          items.length === 0 ? (
            <Text c="dimmed">None yet: it cannot get a token.</Text>
          ) : (
            <Table label="Credentials" columns={columns} items={items} keyOf={({ id }) => id} />
          )
        }
      </Arriving>
      <CredentialForm identity_id={identity.id} onSecret={setSecret} />
    </Section>
  )
}

function Deletion({ credential }: { credential: Credential }) {
  const { id, identity_id } = credential
  return (
    <DeleteButton
      label={`Delete ${sayWhich(credential)}`}
      question="Delete this credential?"
      consequence="What uses it gets no tokens any more, from now on."
      said="The credential is deleted."
      keys={['identities']}
      size="xs"
      remove={() =>
        call('DELETE /identities/{id}/credentials/{credential_id}', {
          params: { id: identity_id, credential_id: id },
        })
      }
    />
  )
}
