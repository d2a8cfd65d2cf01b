import { Checkbox, NativeSelect, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import type { NotificationPolicy } from '../../../../../domain/notification-policy.ts'
import { groupsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import type { TemplateDraft } from './template-draft.ts'
import type { TemplateFormProps } from './template-form.tsx'

const policies: Record<NotificationPolicy, string> = {
  all: 'All approvers',
  first_n: 'The first ones of the first group',
  random_n: 'Some, chosen by chance',
  round_robin: 'The next ones, in turn',
}

/** Who is told of a new request. Whoever may decide may do so, told or not. */
export function Telling({ form: { draft, set, errors } }: Pick<TemplateFormProps, 'form'>) {
  return (
    <Section title="Who is told" about="Any approver may decide, told or not. Scripts send the messages.">
      <NativeSelect
        label="Tell"
        value={draft.notification_policy}
        error={errors['/notification_policy']}
        onChange={({ currentTarget }) => set({ notification_policy: asPolicy(currentTarget.value) })}
        data={Object.entries(policies).map(([value, label]) => ({ value, label }))}
      />
      {draft.notification_policy !== 'all' && (
        <TextInput
          label="How many"
          inputMode="numeric"
          w="fit-content"
          value={draft.notification_count}
          error={errors['/notification_count']}
          onChange={({ currentTarget }) => set({ notification_count: currentTarget.value })}
        />
      )}
      <GroupOrder draft={draft} />
      <Checkbox
        label="Prefer approvers who share a group with the requester"
        description="Where there are such, only they are told."
        checked={draft.prefer_requester_groups}
        onChange={({ currentTarget }) => set({ prefer_requester_groups: currentTarget.checked })}
      />
    </Section>
  )
}

const isPolicy = (text: string): text is NotificationPolicy => Object.hasOwn(policies, text)
const asPolicy = (text: string): NotificationPolicy => (isPolicy(text) ? text : 'all')

/** The order of the groups matters where it is counted. */
function GroupOrder({ draft }: { draft: TemplateDraft }) {
  const { data: groups = [] } = useQuery(groupsQuery)
  const isCounted = draft.notification_policy === 'first_n' || draft.notification_policy === 'round_robin'
  if (!isCounted || draft.approver_group_ids.length < 2) return null
  const names = draft.approver_group_ids.map((id) => groups.find((group) => group.id === id)?.name ?? id)
  return (
    <Text size="sm" c="dimmed">
      The groups count in this order: {names.join(', ')}. To change it, untick them and tick them anew.
    </Text>
  )
}
