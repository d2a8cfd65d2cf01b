import { NativeSelect, Textarea, TextInput } from '@mantine/core'

import { CustomFieldInput } from '../../requests/custom-field-input.tsx'
import type { Asked, Draft } from './draft.ts'
import { DurationInput } from './duration-input.tsx'

type InputsProps = {
  entry: Asked
  draft: Draft
  /** Sentences by JSON pointer. */
  errors: Record<string, string>
  set: (changes: Partial<Draft>) => void
}

/** The fields of a request, as its template wants them. */
export function Inputs({ entry, draft, errors, set }: InputsProps) {
  return (
    <>
      {entry.subjects.length > 1 && (
        <NativeSelect
          label="For whom"
          value={draft.subject_id}
          error={errors['/subject_id']}
          onChange={({ currentTarget }) => set({ subject_id: currentTarget.value })}
          data={entry.subjects.map(({ id, display_name }, index) => ({
            value: id,
            label: index === 0 ? `Me (${display_name})` : display_name,
          }))}
        />
      )}
      <DurationInput
        entry={entry}
        mins={draft.mins}
        error={errors['/requested_duration_mins']}
        onChange={(mins) => set({ mins })}
      />
      <Textarea
        label="Why do you need it?"
        description="Whoever decides reads this, and it stays on record."
        required={entry.require_justification}
        rows={3}
        value={draft.justification}
        error={errors['/justification']}
        onChange={({ currentTarget }) => set({ justification: currentTarget.value })}
      />
      {entry.custom_fields.map((field) => (
        <CustomFieldInput
          key={field.id}
          field={field}
          answer={draft.answers[field.id]}
          error={errors[`/custom_answers/${field.id}`]}
          onChange={(answer) => set({ answers: { ...draft.answers, [field.id]: answer } })}
        />
      ))}
      <TextInput
        label="Ticket"
        description="A change, an incident, a contract: whatever this belongs to. Optional."
        value={draft.ticket}
        error={errors['/ticket']}
        onChange={({ currentTarget }) => set({ ticket: currentTarget.value })}
      />
    </>
  )
}
