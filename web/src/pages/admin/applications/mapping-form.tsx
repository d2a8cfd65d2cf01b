import { Button, Group, NativeSelect, Stack, TextInput, Title } from '@mantine/core'

import type { AppMapping } from '../../../../../domain/directory.ts'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { asLevel, levels } from '../identities/levels.ts'

type MappingFormProps = {
  app_id: string
  /** Undefined: a new one. */
  edited: AppMapping | undefined
  onDone: () => void
}

type Draft = Pick<AppMapping, 'name' | 'claim' | 'value' | 'privilege_level'>

const empty: Draft = { name: '', claim: 'roles', value: '', privilege_level: 'low' }

const save = (app_id: string, edited: AppMapping | undefined, body: Draft) =>
  edited === undefined
    ? send('POST /applications/{id}/mappings', { params: { id: app_id }, body })
    : send('PUT /app-mappings/{id}', { params: { id: edited.id }, body })

export function MappingForm({ app_id, edited, onDone }: MappingFormProps) {
  const { form } = useForm({
    initial: edited ?? empty,
    write: ({ name, claim, value, privilege_level }) =>
      save(app_id, edited, { name, claim, value, privilege_level }),
    keys: ['applications', 'catalogue'],
    said: 'The mapping is saved.',
    onSaved: onDone,
  })
  const { draft, set, errors } = form
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Mapping">
      <Stack gap="sm">
        <Title order={3} size="h5">
          {edited === undefined ? 'New mapping' : `Edit ${edited.name}`}
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
            onChange={({ currentTarget }) => set({ privilege_level: asLevel(currentTarget.value) ?? 'low' })}
          />
        </Group>
        <SaveBar form={form} label={edited === undefined ? 'Add mapping' : 'Save mapping'} />
        {edited !== undefined && (
          <Button variant="default" w="fit-content" onClick={onDone}>
            Leave it as it was
          </Button>
        )}
      </Stack>
    </form>
  )
}
