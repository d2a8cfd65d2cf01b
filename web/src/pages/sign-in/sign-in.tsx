import { Button, Divider, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'

import { call } from '../../api/call.ts'
import type { SignInOptions } from '../../api/routes.ts'
import { meQuery } from '../../api/session.ts'
import { Arriving, Refusal } from '../../ui/states.tsx'

const optionsQuery = {
  queryKey: ['sign-in-options'],
  queryFn: () => call('GET /auth/options', {}),
}

/** Where to go on after an identity provider has answered: here, wherever that is. */
const startAt = (provider_id: string): string => {
  const here = location.pathname === '/sign-in' ? '/' : location.pathname + location.search
  return `/auth/oidc/${encodeURIComponent(provider_id)}/start?return_to=${encodeURIComponent(here)}`
}

/** The ways in that this installation has. */
export function SignIn() {
  const options = useQuery(optionsQuery)
  useEffect(() => {
    document.title = 'Sign in · Hallpass'
  }, [])
  return (
    <Stack gap="lg">
      <div>
        <Title order={1} size="h2">
          Sign in to Hallpass
        </Title>
        <Text c="dimmed">Temporary access: asked for, decided, granted, ended and proven.</Text>
      </div>
      <Arriving query={options} rows={3}>
        {(options) => <WaysIn options={options} />}
      </Arriving>
    </Stack>
  )
}

function WaysIn({ options: { providers, local } }: { options: SignInOptions }) {
  if (providers.length === 0 && local === null) return <NoWayIn />
  return (
    <Stack gap="md">
      {providers.map(({ id, name }) => (
        <Button key={id} component="a" href={startAt(id)} size="md">
          Continue with {name}
        </Button>
      ))}
      {local !== null && providers.length > 0 && <Divider label="or" />}
      {local !== null && <LocalPeople people={local} />}
    </Stack>
  )
}

function NoWayIn() {
  return (
    <Stack gap="xs">
      <Text>No identity provider is set up yet.</Text>
      <Text c="dimmed">
        Whoever runs this installation can print a one-time link on its machine, and open it here:
      </Text>
      <code>npm run -s sign-in-link -- EMAIL</code>
    </Stack>
  )
}

/** Only an embedded set-up on this very machine offers its people without a password. */
function LocalPeople({ people }: { people: { email: string; display_name: string }[] }) {
  const client = useQueryClient()
  const signIn = useMutation({
    mutationFn: (email: string) => call('POST /auth/local', { body: { email } }),
    onSuccess: () => client.resetQueries({ queryKey: meQuery.queryKey }),
  })
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        This is an evaluation copy on this machine: choose whom to be. No password is asked. Ask for access as
        one of them, sign out, and decide as another: nobody decides what they asked for.
      </Text>
      {people.map(({ email, display_name }) => (
        <Button
          key={email}
          variant="default"
          justify="space-between"
          size="md"
          loading={signIn.isPending && signIn.variables === email}
          rightSection={
            <Text size="sm" c="dimmed" component="span">
              {email}
            </Text>
          }
          onClick={() => signIn.mutate(email)}
        >
          {display_name}
        </Button>
      ))}
      {signIn.error !== null && <Refusal error={signIn.error} />}
    </Stack>
  )
}
