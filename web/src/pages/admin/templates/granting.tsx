import { NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { ChooseMany } from '../../../admin/choose-many.tsx'
import { applicationsQuery, mappingsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { errorIn } from '../../../admin/use-form.ts'
import { inWords } from '../../../ui/durations.ts'
import { parseDurations } from './duration-text.ts'
import type { TemplateFormProps } from './template-form.tsx'

const listed = new Intl.ListFormat('en', { type: 'conjunction' })

function sayDurations(text: string): string {
  const mins = parseDurations(text) ?? []
  return mins.length === 0
    ? 'Empty: as long as they say, up to the limit of this installation.'
    : `They choose from ${listed.format(mins.map(inWords))}.`
}

/** What it is called, and what it grants for how long. */
export function Granting({ form: { draft, set, errors }, isNew }: TemplateFormProps) {
  const unreadable =
    parseDurations(draft.durations) === undefined && 'Write them like this: 30m, 4h, 1d. Commas between them.'
  return (
    <Section title="What it grants">
      <TextInput
        label="Name"
        required
        value={draft.name}
        error={errors['/name']}
        onChange={({ currentTarget }) => set({ name: currentTarget.value })}
      />
      <Textarea
        label="Description"
        description="Whoever looks for access reads this."
        rows={2}
        value={draft.description}
        error={errors['/description']}
        onChange={({ currentTarget }) => set({ description: currentTarget.value })}
      />
      <ApplicationSelect
        app_id={draft.app_id}
        isFixed={!isNew}
        error={errors['/app_id']}
        onChange={(app_id) => set({ app_id, mapping_ids: [] })}
      />
      <MappingChoice
        app_id={draft.app_id}
        values={draft.mapping_ids}
        error={errorIn(errors, '/mapping_ids')}
        onChange={(mapping_ids) => set({ mapping_ids })}
      />
      <TextInput
        label="Durations"
        description={sayDurations(draft.durations)}
        placeholder="1h, 4h, 1d"
        value={draft.durations}
        error={unreadable || errorIn(errors, '/allowed_durations')}
        onChange={({ currentTarget }) => set({ durations: currentTarget.value })}
      />
    </Section>
  )
}

type ApplicationSelectProps = {
  app_id: string
  isFixed: boolean
  error: string | undefined
  onChange: (app_id: string) => void
}

function ApplicationSelect({ app_id, isFixed, error, onChange }: ApplicationSelectProps) {
  const { data = [] } = useQuery(applicationsQuery)
  if (isFixed)
    return (
      <TextInput
        label="Application"
        readOnly
        description="The application of a template cannot be changed: make another template."
        value={data.find(({ id }) => id === app_id)?.name ?? ''}
        error={error}
      />
    )
  return (
    <NativeSelect
      label="Application"
      required
      value={app_id}
      error={error !== undefined && app_id === '' ? 'Choose the application.' : error}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      data={[{ value: '', label: 'Choose' }, ...data.map(({ id, name }) => ({ value: id, label: name }))]}
    />
  )
}

type MappingChoiceProps = {
  app_id: string
  values: string[]
  error: string | undefined
  onChange: (ids: string[]) => void
}

function MappingChoice({ app_id, values, error, onChange }: MappingChoiceProps) {
  const { data = [] } = useQuery({ ...mappingsQuery(app_id), enabled: app_id !== '' })
  return (
    <ChooseMany
      label="Mappings"
      description="What tokens carry while the access lasts. None: membership in the temporary group alone."
      choices={data.map(({ id, name, claim, value, privilege_level }) => ({
        value: id,
        label: name,
        note: `${claim} = ${value}, ${privilege_level} privilege`,
      }))}
      values={values}
      error={error}
      none={
        app_id === ''
          ? 'Choose the application first.'
          : 'The application has no mappings yet: add them under Applications.'
      }
      onChange={onChange}
    />
  )
}
