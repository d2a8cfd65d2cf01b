import { Button, Checkbox, Group, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useRef } from 'react'

import type { CustomField } from '../../../../../domain/custom-fields.ts'
import { Section } from '../../../admin/section.tsx'
import { errorIn } from '../../../admin/use-form.ts'
import classes from './custom-fields.module.css'
import { hasOptions, newKey, type FieldDraft } from './template-draft.ts'
import type { TemplateFormProps } from './template-form.tsx'

const types: Record<CustomField['type'], string> = {
  text: 'One line of text',
  textarea: 'Several lines of text',
  select: 'One of several options',
  multi_select: 'Some of several options',
  checkbox: 'A box to tick',
}
const isType = (text: string): text is CustomField['type'] => Object.hasOwn(types, text)

function moved(fields: FieldDraft[], from: number, to: number): FieldDraft[] {
  const field = fields[from]
  return field === undefined ? fields : fields.toSpliced(from, 1).toSpliced(to, 0, field)
}

/** The questions that a requester answers beside the usual ones. */
export function CustomFields({ form: { draft, set, errors } }: Pick<TemplateFormProps, 'form'>) {
  const { fields } = draft
  const list = useRef<HTMLOListElement>(null)
  const change = (at: number, changes: Partial<FieldDraft>) =>
    set({ fields: fields.map((field, index) => (index === at ? { ...field, ...changes } : field)) })
  const add = () => {
    const blank = { label: '', type: 'text', required: false, placeholder: '', options: '' } as const
    set({ fields: [...fields, { ...blank, key: newKey(), id: undefined }] })
    setTimeout(() => list.current?.querySelector<HTMLInputElement>('li:last-child input')?.focus())
  }
  return (
    <Section title="Questions" about="What whoever asks has to answer beside the usual.">
      {fields.length === 0 && <Text c="dimmed">None yet.</Text>}
      <ol ref={list} className={classes.fields}>
        {fields.map((field, index) => (
          <li key={field.key} className={classes.field}>
            <FieldEditor
              field={field}
              at={`/custom_fields/${index}`}
              errors={errors}
              onChange={(changes) => change(index, changes)}
            />
            <FieldActions
              name={field.label || `question ${index + 1}`}
              isFirst={index === 0}
              isLast={index === fields.length - 1}
              onMove={(by) => set({ fields: moved(fields, index, index + by) })}
              onRemove={() => set({ fields: fields.toSpliced(index, 1) })}
            />
          </li>
        ))}
      </ol>
      {errors['/custom_fields'] !== undefined && <Text c="red">{errors['/custom_fields']}</Text>}
      <Button variant="default" w="fit-content" onClick={add}>
        Add a question
      </Button>
    </Section>
  )
}

type FieldEditorProps = {
  field: FieldDraft
  /** The JSON pointer to it. */
  at: string
  errors: Record<string, string>
  onChange: (changes: Partial<FieldDraft>) => void
}

function FieldEditor({ field, at, errors, onChange }: FieldEditorProps) {
  const { label, type, required, placeholder, options } = field
  const isTyped = type === 'text' || type === 'textarea' || type === 'select'
  return (
    <Stack gap="sm">
      <div className={classes.pair}>
        <TextInput
          label="Question"
          required
          value={label}
          error={errors[`${at}/label`]}
          onChange={({ currentTarget }) => onChange({ label: currentTarget.value })}
        />
        <NativeSelect
          label="Answer"
          value={type}
          error={errors[`${at}/type`]}
          data={Object.entries(types).map(([value, label]) => ({ value, label }))}
          onChange={({ currentTarget: { value } }) => {
            if (isType(value)) onChange({ type: value })
          }}
        />
      </div>
      {isTyped && (
        <TextInput
          label="Example"
          description="Shown while the field is empty."
          value={placeholder}
          error={errors[`${at}/placeholder`]}
          onChange={({ currentTarget }) => onChange({ placeholder: currentTarget.value })}
        />
      )}
      {hasOptions(type) && (
        <Textarea
          label="Options, one a line"
          required
          rows={3}
          value={options}
          error={errorIn(errors, `${at}/options`)}
          onChange={({ currentTarget }) => onChange({ options: currentTarget.value })}
        />
      )}
      <Checkbox
        label={type === 'checkbox' ? 'It has to be ticked' : 'An answer is required'}
        checked={required}
        onChange={({ currentTarget }) => onChange({ required: currentTarget.checked })}
      />
    </Stack>
  )
}

type FieldActionsProps = {
  name: string
  isFirst: boolean
  isLast: boolean
  onMove: (by: -1 | 1) => void
  onRemove: () => void
}

function FieldActions({ name, isFirst, isLast, onMove, onRemove }: FieldActionsProps) {
  const common = { size: 'compact-sm', variant: 'default' } as const
  return (
    <Group gap="xs">
      <Button {...common} disabled={isFirst} aria-label={`Move ${name} up`} onClick={() => onMove(-1)}>
        Up
      </Button>
      <Button {...common} disabled={isLast} aria-label={`Move ${name} down`} onClick={() => onMove(1)}>
        Down
      </Button>
      <Button {...common} aria-label={`Remove ${name}`} onClick={onRemove}>
        Remove
      </Button>
    </Group>
  )
}
