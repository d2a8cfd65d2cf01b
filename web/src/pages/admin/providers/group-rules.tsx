import { Button, Group, Input, NativeSelect, Stack, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRef } from 'react'

import { groupsQuery } from '../../../admin/queries.ts'
import { useFocusLeft } from '../../../ui/use-focus-left.ts'
import classes from './group-rules.module.css'
import type { ProviderDraft } from './provider-draft.ts'
import type { ProviderFormProps } from './provider-form.tsx'

type Rule = ProviderDraft['group_mappings'][number]

/** Which values of the claim mean which groups. */
export function GroupRules({ form: { draft, set, errors } }: ProviderFormProps) {
  const list = useRef<HTMLDivElement>(null)
  const { group_mappings: rules } = draft
  const change = (at: number, changes: Partial<Rule>) =>
    set({ group_mappings: rules.map((each, index) => (index === at ? { ...each, ...changes } : each)) })
  const add = () => {
    set({ group_mappings: [...rules, { value: '', group_id: '' }] })
    // The new row is there once React has drawn it.
    setTimeout(() => list.current?.querySelector<HTMLInputElement>(':scope > :last-child input')?.focus())
  }
  return (
    <Stack gap="sm" role="group" aria-label="Values and groups">
      <Stack gap="sm" ref={list}>
        {rules.map((rule, index) => (
          <RuleRow
            key={index}
            rule={rule}
            name={rule.value || `entry ${index + 1}`}
            errors={{
              value: errors[`/group_mappings/${index}/value`],
              group_id: errors[`/group_mappings/${index}/group_id`],
            }}
            onChange={(changes) => change(index, changes)}
            onRemove={() => set({ group_mappings: rules.toSpliced(index, 1) })}
          />
        ))}
      </Stack>
      {errors['/group_mappings'] !== undefined && <Input.Error>{errors['/group_mappings']}</Input.Error>}
      <Button variant="default" w="fit-content" onClick={add}>
        Map a value to a group
      </Button>
    </Stack>
  )
}

type RuleRowProps = {
  rule: Rule
  name: string
  errors: { [Field in keyof Rule]: string | undefined }
  onChange: (changes: Partial<Rule>) => void
  onRemove: () => void
}

function RuleRow({ rule, name, errors, onChange, onRemove }: RuleRowProps) {
  const { data: groups = [] } = useQuery(groupsQuery)
  const row = useFocusLeft<HTMLDivElement>()
  return (
    <Group gap="sm" align="flex-start" ref={row}>
      <TextInput
        label="Value"
        required
        className={classes.field}
        value={rule.value}
        error={errors.value}
        onChange={({ currentTarget }) => onChange({ value: currentTarget.value })}
      />
      <NativeSelect
        label="Group"
        required
        className={classes.field}
        value={rule.group_id}
        error={errors.group_id}
        onChange={({ currentTarget }) => onChange({ group_id: currentTarget.value })}
        data={[{ value: '', label: 'Choose' }, ...groups.map(({ id, name }) => ({ value: id, label: name }))]}
      />
      <Button variant="default" className={classes.remove} aria-label={`Remove ${name}`} onClick={onRemove}>
        Remove
      </Button>
    </Group>
  )
}
