import { Group, NativeSelect, Stack, TextInput, Title } from '@mantine/core'
import type { ReactNode } from 'react'

import type { AppMapping } from '../../../../../domain/directory.ts'
import { SaveBar } from '../../../admin/save-bar.tsx'
import type { Form } from '../../../admin/use-form.ts'
import { asLevel, levels } from '../identities/levels.ts'

export type MappingDraft = Pick<AppMapping, 'name' | 'claim' | 'value' | 'privilege_level'>

type MappingFieldsProps = { form: Form<MappingDraft>; title: string; label: string; children?: ReactNode }

/** The form of a mapping, new or not. */
export function MappingFields({ form, title, label, children }: MappingFieldsProps) {
  const { draft, set, errors } = form
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Mapping">
      <Stack gap="sm">
        <Title order={3} size="h5">
          {title}
        </Title>
        <TextInput
          label="Name"
          required
          value={draft.name}
          error={errors['/name']}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        />
        <Group gap="md" align="flex-start" grow preventGrowOverflow={false}>
          <TextInput
            label="Claim"
            required
            value={draft.claim}
            error={errors['/claim']}
            onChange={({ currentTarget }) => set({ claim: currentTarget.value })}
          />
          <TextInput
            label="Value"
            required
            value={draft.value}
            error={errors['/value']}
            onChange={({ currentTarget }) => set({ value: currentTarget.value })}
          />
          <NativeSelect
            label="Privilege"
            data={levels}
            value={draft.privilege_level}
            error={errors['/privilege_level']}
            onChange={({ currentTarget }) => set({ privilege_level: asLevel(currentTarget.value) ?? 'low' })}
          />
        </Group>
        <SaveBar form={form} label={label}>
          {children}
        </SaveBar>
      </Stack>
    </form>
  )
}
