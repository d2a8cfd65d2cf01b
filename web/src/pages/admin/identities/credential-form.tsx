import { NativeSelect, Stack, Textarea, TextInput, Title } from '@mantine/core'
import { useState } from 'react'

import { MomentInput } from '../../../admin/moment-input.tsx'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { errorIn, useForm, type Form } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { refusalAt } from '../../../api/problem.ts'
import type { Routes } from '../../../api/routes.ts'

type Draft = {
  type: 'client_secret' | 'public_key' | 'federated'
  jwk: string
  issuer: string
  audience: string
  subject: string
  expires_at: string | null
}

const types: { value: Draft['type']; label: string; about: string }[] = [
  { value: 'client_secret', label: 'Client secret', about: 'Made here, and shown once.' },
  { value: 'public_key', label: 'Public key', about: 'It keeps the private one, and signs with it.' },
  { value: 'federated', label: 'Federated workload', about: 'Another issuer vouches for it.' },
]

const empty: Draft = {
  type: 'client_secret',
  jwk: '',
  issuer: '',
  audience: '',
  subject: '',
  expires_at: null,
}

type Body = Routes['POST /identities/{id}/credentials']['body']

/** The API judges the key; what is not JSON cannot even be sent. */
function parseKey(text: string): Extract<Body, { type: 'public_key' }>['jwk'] {
  try {
    return JSON.parse(text)
  } catch {
    throw refusalAt('/jwk', 'is not JSON: paste the public key as a JWK, such as {"kty": "EC", …}')
  }
}

function bodyOf({ type, jwk, issuer, audience, subject, expires_at }: Draft): Body {
  if (type === 'client_secret') return { type, expires_at }
  if (type === 'public_key') return { type, jwk: parseKey(jwk), expires_at }
  return { type, issuer, audience, subject, expires_at }
}

type CredentialFormProps = { identity_id: string; onSecret: (secret: string | undefined) => void }

export function CredentialForm(props: CredentialFormProps) {
  const [made, setMade] = useState(0)
  return <BlankForm key={made} {...props} onMade={() => setMade(made + 1)} />
}

function BlankForm({ identity_id, onSecret, onMade }: CredentialFormProps & { onMade: () => void }) {
  const { form } = useForm({
    initial: empty,
    write: (draft) =>
      send('POST /identities/{id}/credentials', { params: { id: identity_id }, body: bodyOf(draft) }),
    keys: ['identities'],
    said: 'The credential is made.',
    onSaved: ({ body }) => {
      onSecret(body.client_secret)
      onMade()
    },
  })
  const { draft, set, errors } = form
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Credential">
      <Stack gap="md">
        <Title order={3} size="h5">
          New credential
        </Title>
        <NativeSelect
          label="Type"
          description={types.find(({ value }) => value === draft.type)?.about}
          data={types.map(({ value, label }) => ({ value, label }))}
          value={draft.type}
          onChange={({ currentTarget: { value } }) =>
            set({ type: types.find((type) => type.value === value)?.value ?? 'client_secret' })
          }
        />
        {draft.type === 'public_key' && (
          <Textarea
            label="Public key (JWK)"
            description="ES256, RS256 of 2048 bits or more, or Ed25519."
            required
            rows={4}
            value={draft.jwk}
            error={errorIn(errors, '/jwk')}
            onChange={({ currentTarget }) => set({ jwk: currentTarget.value })}
          />
        )}
        {draft.type === 'federated' && <Workload form={form} />}
        <MomentInput
          label="Ends"
          description="Empty: it does not end by itself."
          at={draft.expires_at}
          error={errors['/expires_at']}
          onChange={(expires_at) => set({ expires_at })}
        />
        <SaveBar form={form} label="Make credential" />
      </Stack>
    </form>
  )
}

function Workload({ form: { draft, set, errors } }: { form: Form<Draft> }) {
  return (
    <>
      <TextInput
        label="Issuer"
        placeholder="https://token.actions.githubusercontent.com"
        required
        value={draft.issuer}
        error={errors['/issuer']}
        onChange={({ currentTarget }) => set({ issuer: currentTarget.value })}
      />
      <TextInput
        label="Audience"
        required
        value={draft.audience}
        error={errors['/audience']}
        onChange={({ currentTarget }) => set({ audience: currentTarget.value })}
      />
      <TextInput
        label="Subject"
        description="Exactly as its tokens say it."
        required
        value={draft.subject}
        error={errors['/subject']}
        onChange={({ currentTarget }) => set({ subject: currentTarget.value })}
      />
    </>
  )
}
