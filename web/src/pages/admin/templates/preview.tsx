import { Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { catalogueQuery } from '../../../api/queries.ts'
import { emptyDraft, type Asked, type Draft } from '../../request-access/draft.ts'
import { Inputs } from '../../request-access/inputs.tsx'
import { parseDurations } from './duration-text.ts'
import classes from './preview.module.css'
import { fieldOf, type TemplateDraft } from './template-draft.ts'

/** A question that has no name yet is shown by its place. */
const fieldsOf = ({ fields }: TemplateDraft): Asked['custom_fields'] =>
  fields.map((field, index) => ({
    ...fieldOf(field),
    id: field.key,
    label: field.label || `Question ${index + 1}`,
  }))

const isPositive = (mins: number): boolean => mins > 0

/** As the API sets it out of the box; the catalogue tells what it is here. */
const usualMost = 43_200

function useAsked(template: TemplateDraft): Asked {
  const { data: catalogue = [] } = useQuery(catalogueQuery)
  return {
    subjects: [],
    allowed_durations: [...new Set(parseDurations(template.durations) ?? [])].filter(isPositive),
    max_duration_mins: catalogue[0]?.max_duration_mins ?? usualMost,
    require_justification: template.require_justification,
    custom_fields: fieldsOf(template),
  }
}

/** The form that whoever asks will see, as the template is written now; what is typed into it is sent nowhere. */
export function Preview({ template }: { template: TemplateDraft }) {
  const asked = useAsked(template)
  const [typed, setTyped] = useState<Partial<Draft>>({})
  const blank = emptyDraft(asked)
  const mins = asked.allowed_durations.includes(typed.mins ?? 0) ? (typed.mins ?? 0) : blank.mins
  const draft = { ...blank, ...typed, mins, answers: { ...blank.answers, ...typed.answers } }
  return (
    <aside aria-labelledby="preview" className={classes.preview}>
      <Text size="sm" c="dimmed" id="preview">
        What whoever asks will see
      </Text>
      <Stack gap="md">
        <Title order={2} size="h3">
          {template.name || 'Without a name'}
        </Title>
        {template.description !== '' && <Text className="pre-line">{template.description}</Text>}
        <Inputs
          key={asked.allowed_durations.length === 0 ? 'free' : 'named'}
          entry={asked}
          draft={draft}
          errors={{}}
          set={(changes) => setTyped((before) => ({ ...before, ...changes }))}
        />
      </Stack>
    </aside>
  )
}
