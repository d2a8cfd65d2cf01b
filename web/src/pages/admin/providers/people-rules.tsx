import { Button, Checkbox, Group, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { groupsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { errorIn } from '../../../admin/use-form.ts'
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
      <GroupMappings form={form} />
    </Section>
  )
}

function GroupMappings({ form: { draft, set, errors } }: ProviderFormProps) {
  const { data: groups = [] } = useQuery(groupsQuery)
  const { group_mappings: mappings } = draft
  const change = (at: number, changes: Partial<(typeof mappings)[number]>) =>
    set({ group_mappings: mappings.map((each, index) => (index === at ? { ...each, ...changes } : each)) })
  return (
    <Stack gap="sm" role="group" aria-label="Values and groups">
      {mappings.map(({ value, group_id }, index) => (
        <Group key={index} gap="sm" align="flex-end">
          <TextInput
            label="Value"
            value={value}
            error={errors[`/group_mappings/${index}/value`]}
            onChange={({ currentTarget }) => change(index, { value: currentTarget.value })}
          />
          <NativeSelect
            label="Group"
            value={group_id}
            error={errors[`/group_mappings/${index}/group_id`]}
            onChange={({ currentTarget }) => change(index, { group_id: currentTarget.value })}
            data={[
              { value: '', label: 'Choose' },
              ...groups.map(({ id, name }) => ({ value: id, label: name })),
            ]}
          />
          <Button
            variant="default"
            aria-label={`Remove ${value || `entry ${index + 1}`}`}
            onClick={() => set({ group_mappings: mappings.toSpliced(index, 1) })}
          >
            Remove
          </Button>
        </Group>
      ))}
      {errors['/group_mappings'] !== undefined && <Text c="red">{errors['/group_mappings']}</Text>}
      <Button
        variant="default"
        w="fit-content"
        onClick={() => set({ group_mappings: [...mappings, { value: '', group_id: '' }] })}
      >
        Map a value to a group
      </Button>
    </Stack>
  )
}
