import { Button, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Navigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { call } from '../../api/call.ts'
import { meQuery } from '../../api/session.ts'
import { Refusal } from '../../ui/states.tsx'
import { takeLinkCode } from './link-code.ts'
import classes from './sign-in.module.css'
import { SignIn } from './sign-in.tsx'

/** By the codes that the sign-in of the server gives. */
const reasons = new Map(
  Object.entries<string>({
    cancelled: 'You stopped the sign-in at your identity provider. Choose it again to go on.',
    expired: 'The sign-in took too long. Begin again.',
    other_browser: 'The sign-in was begun in another browser. Begin again in this one.',
    provider_unavailable: 'Your identity provider does not answer. Try again in a moment.',
    provider_refused: 'What your identity provider answered cannot be trusted. Tell an admin of Hallpass.',
    email_not_verified: 'Your identity provider does not vouch for your e-mail address.',
    email_domain_not_allowed: 'Addresses of your e-mail domain may not sign in this way.',
    email_taken: 'Your e-mail address belongs to somebody else here. Ask an admin of Hallpass.',
    not_registered: 'You are not known here yet. Ask an admin of Hallpass to add you.',
    inactive: 'Your access to Hallpass was disabled or has ended. Ask an admin of Hallpass.',
    last_admin:
      'Your provider no longer makes you an admin, and you are the last one. Name another admin first.',
  }),
)

/** Where identity providers send people whom they could not sign in, and where one-time links lead. */
export function SignInPage() {
  const { error } = useSearch({ from: '/sign-in' })
  const [code] = useState(takeLinkCode)
  const me = useQuery(meQuery)
  if (code !== undefined) return <main className={classes.outside}>{<OneTimeLink code={code} />}</main>
  if (me.data) return <Navigate to="/" replace />
  return (
    <main className={classes.outside}>
      <Stack gap="lg">
        {error !== undefined && (
          <Refusal
            title="You are not signed in"
            error={new Error(reasons.get(error) ?? 'The sign-in failed. Try again.')}
          />
        )}
        <SignIn />
      </Stack>
    </main>
  )
}

/** A link is spent by a click, not by being opened: mail scanners open links too. */
function OneTimeLink({ code }: { code: string }) {
  const signIn = useMutation({
    mutationFn: () => call('POST /auth/link', { body: { code } }),
    onSuccess: () => location.replace('/'),
  })
  return (
    <Stack gap="lg">
      <Title order={1} size="h2">
        Sign in to Hallpass
      </Title>
      <Text>You opened a one-time sign-in link. It works once, for a short time.</Text>
      <Button size="md" loading={signIn.isPending} onClick={() => signIn.mutate()}>
        Sign in
      </Button>
      {signIn.error !== null && <Refusal error={signIn.error} />}
    </Stack>
  )
}
