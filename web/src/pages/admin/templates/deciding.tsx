import { Checkbox, NativeSelect, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { ChooseMany } from '../../../admin/choose-many.tsx'
import { approversQuery, groupsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { errorIn } from '../../../admin/use-form.ts'
import { Arriving } from '../../../ui/states.tsx'
import type { TemplateFormProps } from './template-form.tsx'

type Props = Pick<TemplateFormProps, 'form'>

/** Who may ask, and who decides. */
export function Deciding({ form }: Props) {
  const { draft, set, errors } = form
  const { data: groups = [] } = useQuery(groupsQuery)
  const choices = groups.map(({ id, name, description }) => ({ value: id, label: name, note: description }))
  const none = 'There are no groups yet: make them under Groups.'
  return (
    <Section title="Who may ask, who decides">
      <ChooseMany
        label="Groups that may ask"
        description="None: everybody may."
        choices={choices}
        none={none}
        values={draft.allowed_group_ids}
        error={errorIn(errors, '/allowed_group_ids')}
        onChange={(allowed_group_ids) => set({ allowed_group_ids })}
      />
      <Checkbox
        label="They have to say why"
        checked={draft.require_justification}
        onChange={({ currentTarget }) => set({ require_justification: currentTarget.checked })}
      />
      <ChooseMany
        label="Approver groups"
        description="Any person in any of them may decide. None: the admins of Hallpass do."
        choices={choices}
        none={none}
        values={draft.approver_group_ids}
        error={errorIn(errors, '/approver_group_ids')}
        onChange={(approver_group_ids) => set({ approver_group_ids })}
      />
      <ApproversNow group_ids={draft.approver_group_ids} />
      <Checkbox
        label="Approve automatically"
        description="Nobody decides: it is granted at once, unless a script that blocks refuses."
        checked={draft.auto_approve}
        onChange={({ currentTarget }) => set({ auto_approve: currentTarget.checked })}
      />
      <Escalating form={form} choices={choices} />
    </Section>
  )
}

const named = new Intl.ListFormat('en', { type: 'disjunction' })
const shown = 12

/** Live: as the groups are now, and as this form names them. */
function ApproversNow({ group_ids }: { group_ids: string[] }) {
  const approvers = useQuery(approversQuery(group_ids))
  return (
    <div role="status">
      <Text fw={600} size="sm">
        Who could approve now
      </Text>
      <Arriving query={approvers} rows={1}>
        {({ data, next_cursor }) => {
          const more = data.length - shown
          const names = data.slice(0, shown).map(({ display_name, email }) => `${display_name} (${email})`)
          if (data.length === 0)
            return <Text>Nobody: requests would wait until a group has active people in it.</Text>
          return (
            <Text className="pre-line">
              {more > 0
                ? `${names.join(', ')} and ${more}${next_cursor === null ? '' : ' or more'} others`
                : named.format(names)}
              . Nobody decides over a request of their own.
            </Text>
          )
        }}
      </Arriving>
    </div>
  )
}

type EscalatingProps = Props & { choices: { value: string; label: string }[] }

function Escalating({ form: { draft, set, errors }, choices }: EscalatingProps) {
  return (
    <>
      <TextInput
        label="Escalate after"
        description="How long a request may stay undecided, such as 30m or 4h. Empty: it does not escalate."
        value={draft.escalation_after}
        error={errors['/escalation_after_mins']}
        onChange={({ currentTarget }) => set({ escalation_after: currentTarget.value })}
      />
      <NativeSelect
        label="Escalate to"
        description="Its people are told then, and may decide too."
        value={draft.escalation_group_id}
        error={errors['/escalation_group_id']}
        onChange={({ currentTarget }) => set({ escalation_group_id: currentTarget.value })}
        data={[{ value: '', label: 'Nobody' }, ...choices.map(({ value, label }) => ({ value, label }))]}
      />
    </>
  )
}
