import { NativeSelect, Stack, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import type { Application } from '../../../../../domain/directory.ts'
import { groupsQuery } from '../../../admin/queries.ts'
import { SaveBar } from '../../../admin/save-bar.tsx'
import type { Form } from '../../../admin/use-form.ts'

/** An owner that is '' is none. */
export type ApplicationDraft = { name: string; slug: string; description: string; owner_group_id: string }

export const emptyApplication: ApplicationDraft = { name: '', slug: '', description: '', owner_group_id: '' }

export const draftOfApplication = ({ name, slug, description, owner_group_id }: Application) => ({
  name,
  slug,
  description,
  owner_group_id: owner_group_id ?? '',
})

export const bodyOf = ({ owner_group_id, ...draft }: ApplicationDraft) => ({
  ...draft,
  owner_group_id: owner_group_id === '' ? null : owner_group_id,
})

type ApplicationFormProps = { form: Form<ApplicationDraft>; label: string }

export function ApplicationForm({ form, label }: ApplicationFormProps) {
  const { draft, set, errors } = form
  const { data: groups = [] } = useQuery(groupsQuery)
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Application">
      <Stack gap="md">
        <TextInput
          label="Name"
          required
          value={draft.name}
          error={errors['/name']}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        />
        <TextInput
          label="Slug"
          description="Tokens for it carry this as their audience: lower-case letters, digits and hyphens."
          required
          value={draft.slug}
          error={errors['/slug']}
          onChange={({ currentTarget }) => set({ slug: currentTarget.value })}
        />
        <Textarea
          label="Description"
          rows={2}
          value={draft.description}
          error={errors['/description']}
          onChange={({ currentTarget }) => set({ description: currentTarget.value })}
        />
        <NativeSelect
          label="Owned by"
          description="The group that answers for what is granted in it."
          value={draft.owner_group_id}
          error={errors['/owner_group_id']}
          onChange={({ currentTarget }) => set({ owner_group_id: currentTarget.value })}
          data={[
            { value: '', label: 'No group' },
            ...groups.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <SaveBar form={form} label={label} />
      </Stack>
    </form>
  )
}
