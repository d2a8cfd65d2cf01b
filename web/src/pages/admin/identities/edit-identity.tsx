import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'

import type { Identity } from '../../../../../domain/directory.ts'
import { Conflict } from '../../../admin/conflict.tsx'
import { Opened } from '../../../admin/opened.tsx'
import { identitiesQuery, identityQuery, type Versioned } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { useEdit } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { queryClient } from '../../../api/query-client.ts'
import { may, useMe } from '../../../api/session.ts'
import { Facts } from '../../../ui/facts.tsx'
import { Instant } from '../../../ui/instant.tsx'
import { Page } from '../../../ui/page.tsx'
import { Credentials } from './credentials.tsx'
import { changesOf } from './identity-body.ts'
import { draftOfIdentity, sayKind } from './identity-draft.ts'
import { IdentityForm } from './identity-form.tsx'

/** Who manages the directory changes it here; an owner looks after the credentials. */
export function EditIdentity() {
  const { identityId } = useParams({ from: '/shell/identities/$identityId' })
  const mayEdit = may(useMe(), 'directory.manage')
  const query = useQuery(identityQuery(identityId))
  return (
    <Opened query={query} title="Identity" list={{ to: '/identities', label: 'the identities' }}>
      {(loaded) =>
        mayEdit ? <Editor key={identityId} loaded={loaded} /> : <Shown identity={loaded.resource} />
      }
    </Opened>
  )
}

function Editor({ loaded }: { loaded: Versioned<Identity> }) {
  const { id } = loaded.resource
  const edit = useEdit({
    loaded,
    toDraft: draftOfIdentity,
    write: (draft, etag, base) =>
      send('PATCH /identities/{id}', {
        params: { id },
        body: changesOf(draft, base),
        if_match: etag,
      }),
    keys: ['identities'],
  })
  return (
    <Page title={edit.base.display_name} about={sayKind(edit.base.kind)}>
      <IdentityForm form={edit.form} label="Save identity" />
      <Conflict edit={edit} read={() => queryClient.fetchQuery({ ...identityQuery(id), staleTime: 0 })} />
      {edit.base.kind === 'human' ? <WayIn email={edit.base.email} /> : <Credentials identity={edit.base} />}
    </Page>
  )
}

/** What else it takes until a new person can work here. */
function WayIn({ email }: { email: string }) {
  return (
    <Section title="How they get in" about="What they may ask for and decide follows from their groups.">
      <Text>
        They sign in at a sign-in provider that vouches for this address. Without one, whoever runs this
        installation prints a link for them on its machine, which is good for 10 minutes:
      </Text>
      <code>npm run -s sign-in-link -- {email}</code>
      <Text>
        To let them decide or administer, add them to a group under <Link to="/groups">Groups</Link>.
      </Text>
    </Section>
  )
}

function Shown({ identity }: { identity: Identity }) {
  const me = useMe()
  const { data: identities = [] } = useQuery(identitiesQuery)
  const emailOf = (wanted: string) => identities.find(({ id }) => id === wanted)?.email ?? wanted
  return (
    <Page title={identity.display_name} about={sayKind(identity.kind)}>
      <Facts
        facts={[
          [identity.kind === 'human' ? 'E-mail address' : 'Handle', identity.email],
          ['State', identity.status === 'active' ? 'Active' : 'Disabled'],
          ['Owner', identity.owner_id !== null && emailOf(identity.owner_id)],
          ['Delegates', identity.delegate_ids.map(emailOf).join(', ')],
          ['Purpose', identity.purpose],
          ['Privilege class', identity.privilege_class],
          ['Ends', identity.expires_at !== null && <Instant key="ends" at={identity.expires_at} />],
        ]}
      />
      {identity.owner_id === me.id && <Credentials identity={identity} />}
    </Page>
  )
}
