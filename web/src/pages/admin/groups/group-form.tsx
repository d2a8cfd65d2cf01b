import { Checkbox, Stack, Textarea, TextInput } from '@mantine/core'

import type { Group, Permission } from '../../../../../domain/directory.ts'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { errorIn, type Form } from '../../../admin/use-form.ts'

export type GroupDraft = Pick<Group, 'name' | 'description' | 'permissions'>

export const emptyGroup: GroupDraft = { name: '', description: '', permissions: [] }

export const draftOfGroup = ({ name, description, permissions }: Group): GroupDraft => ({
  name,
  description,
  permissions,
})

const permissions: Record<Permission, string> = {
  'access_requests.manage': 'Everything below, and everything else',
  'directory.manage': 'Identities, groups and members',
  'applications.manage': 'Applications, mappings, and which groups have them',
  'templates.manage': 'Templates',
  'scripts.manage': 'Scripts and secrets',
  'audit.read': 'History, and every request',
}

const isPermission = (text: string): text is Permission => Object.hasOwn(permissions, text)

export function GroupForm({ form, label }: { form: Form<GroupDraft>; label: string }) {
  const { draft, set, errors } = form
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Group">
      <Stack gap="md">
        <TextInput
          label="Name"
          required
          value={draft.name}
          error={errors['/name']}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        />
        <Textarea
          label="Description"
          rows={2}
          value={draft.description}
          error={errors['/description']}
          onChange={({ currentTarget }) => set({ description: currentTarget.value })}
        />
        <Checkbox.Group
          label="Permissions"
          description="What its members may do in Hallpass. You can give what you hold yourself."
          error={errorIn(errors, '/permissions')}
          value={draft.permissions}
          onChange={(values) => set({ permissions: values.filter(isPermission) })}
        >
          <Stack gap="xs" mt="xs">
            {Object.entries(permissions).map(([permission, meaning]) => (
              <Checkbox key={permission} value={permission} label={permission} description={meaning} />
            ))}
          </Stack>
        </Checkbox.Group>
        <SaveBar form={form} label={label} />
      </Stack>
    </form>
  )
}
