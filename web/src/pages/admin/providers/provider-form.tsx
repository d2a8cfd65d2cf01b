import { Checkbox, Stack, Text, TextInput } from '@mantine/core'

import { SaveBar } from '../../../admin/save-bar.tsx'
import { SecretInput } from '../../../admin/secret-input.tsx'
import { Section } from '../../../admin/section.tsx'
import { errorIn, type Form } from '../../../admin/use-form.ts'
import { PeopleRules } from './people-rules.tsx'
import type { ProviderDraft } from './provider-draft.ts'

export type ProviderFormProps = { form: Form<ProviderDraft> }

/** How people sign in by a provider. `hasSecret`: one is kept already. */
export function ProviderForm({
  form,
  isNew,
  hasSecret,
}: ProviderFormProps & { isNew: boolean; hasSecret: boolean }) {
  const { draft, set, errors } = form
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Sign-in provider" autoComplete="off">
      <Stack gap="xl">
        <Section title="Where it is" about="What its administrators tell you.">
          <Text size="sm">
            Register this redirect address there: <code>{`${location.origin}/auth/oidc/callback`}</code>
          </Text>
          <TextInput
            label="Name"
            description="The sign-in page says “Continue with” it."
            required
            value={draft.name}
            error={errors['/name']}
            onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          />
          <TextInput
            label="Issuer"
            description={isNew ? undefined : 'The issuer of a provider cannot be changed.'}
            placeholder="https://login.example.com"
            required
            readOnly={!isNew}
            value={draft.issuer}
            error={errors['/issuer']}
            onChange={({ currentTarget }) => set({ issuer: currentTarget.value })}
          />
          <TextInput
            label="Client id"
            required
            value={draft.client_id}
            error={errors['/client_id']}
            onChange={({ currentTarget }) => set({ client_id: currentTarget.value })}
          />
          <SecretInput
            label="Client secret"
            description={hasSecret ? 'One is kept. Empty: it stays.' : 'Empty: it has none.'}
            value={draft.client_secret}
            error={errors['/client_secret']}
            onChange={(client_secret) => set({ client_secret })}
          />
          <TextInput
            label="Scopes"
            value={draft.scopes}
            error={errorIn(errors, '/scopes')}
            onChange={({ currentTarget }) => set({ scopes: currentTarget.value })}
          />
          <Checkbox
            label="Enabled"
            description="Disabling it ends the sessions that began by it."
            checked={draft.enabled}
            onChange={({ currentTarget }) => set({ enabled: currentTarget.checked })}
          />
        </Section>
        <PeopleRules form={form} />
        <SaveBar form={form} label={isNew ? 'Add provider' : 'Save provider'} />
      </Stack>
    </form>
  )
}
