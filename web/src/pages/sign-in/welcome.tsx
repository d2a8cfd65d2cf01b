import { Button, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { call } from '../../api/call.ts'
import { fieldErrors } from '../../api/problem.ts'
import { Empty, Refusal } from '../../ui/states.tsx'
import { takeLinkCode } from './link-code.ts'
import classes from './sign-in.module.css'

/** The first admin of a new installation, by the one-time link that its start has printed. */
export function Welcome() {
  const [code] = useState(takeLinkCode)
  return (
    <main className={classes.outside}>
      <Stack gap="lg">
        <Title order={1} size="h2">
          Welcome to Hallpass
        </Title>
        {code === undefined ? <NoCode /> : <FirstAdmin code={code} />}
      </Stack>
    </main>
  )
}

function NoCode() {
  return (
    <Empty title="This page needs the whole link.">
      The start of Hallpass prints it, with <code>#code=</code> in it. Open that link here; a fresh start
      prints a fresh one.
    </Empty>
  )
}

function FirstAdmin({ code }: { code: string }) {
  const [email, setEmail] = useState('')
  const [display_name, setName] = useState('')
  const create = useMutation({
    mutationFn: () => call('POST /auth/link', { body: { code, email, display_name } }),
    onSuccess: () => location.replace('/'),
  })
  const errors = fieldErrors(create.error)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        create.mutate()
      }}
    >
      <Stack gap="md">
        <Text>You are the first: this makes you the admin, who lets everybody else in.</Text>
        <TextInput
          label="Your e-mail address"
          type="email"
          autoComplete="email"
          required
          value={email}
          error={errors['/email']}
          onChange={({ currentTarget }) => setEmail(currentTarget.value)}
        />
        <TextInput
          label="Your name"
          autoComplete="name"
          required
          value={display_name}
          error={errors['/display_name']}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
        />
        {create.error !== null && Object.keys(errors).length === 0 && <Refusal error={create.error} />}
        <Button type="submit" size="md" loading={create.isPending}>
          Become the admin
        </Button>
      </Stack>
    </form>
  )
}
