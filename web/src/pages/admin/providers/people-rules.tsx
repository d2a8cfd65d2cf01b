import { Checkbox, Textarea, TextInput } from '@mantine/core'

import { Section } from '../../../admin/section.tsx'
import { errorIn } from '../../../admin/use-form.ts'
import { GroupRules } from './group-rules.tsx'
import type { ProviderFormProps } from './provider-form.tsx'

/** Who gets in by it, and which groups they are in then. */
export function PeopleRules({ form }: ProviderFormProps) {
  const { draft, set, errors } = form
  return (
    <Section title="Who gets in" about="Known people are found by an address that the provider has verified.">
      <Textarea
        label="Domains whose addresses it may speak for, one a line"
        rows={2}
        placeholder="example.com"
        value={draft.allowed_email_domains}
        error={errorIn(errors, '/allowed_email_domains')}
        onChange={({ currentTarget }) => set({ allowed_email_domains: currentTarget.value })}
      />
      <Checkbox
        label="Create people who are not known yet"
        description="Only with addresses of the domains above."
        checked={draft.create_identities}
        error={errors['/create_identities']}
        onChange={({ currentTarget }) => set({ create_identities: currentTarget.checked })}
      />
      <TextInput
        label="Claim that names groups"
        description="Such as groups. Whoever signs in is in the groups that its values are mapped to, and in no other of them."
        value={draft.group_claim}
        error={errors['/group_claim']}
        onChange={({ currentTarget }) => set({ group_claim: currentTarget.value })}
      />
      <GroupRules form={form} />
    </Section>
  )
}
