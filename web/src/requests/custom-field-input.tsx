import { Checkbox, NativeSelect, Stack, Textarea, TextInput } from '@mantine/core'

import type { CustomField } from '../../../domain/custom-fields.ts'

type Answer = string | string[] | boolean

type CustomFieldInputProps = {
  field: CustomField
  answer: Answer | undefined
  error: string | undefined
  onChange: (answer: Answer) => void
}

/** The API's sentence begins with the label, which stands above the field already. */
const without = (label: string, error: string | undefined): string | undefined =>
  error?.startsWith(`${label}: `) ? error.slice(label.length + 2) : error

/** One extra question of a template, whatever its type. */
export function CustomFieldInput({ field, answer, error, onChange }: CustomFieldInputProps) {
  const { label, required, placeholder, options } = field
  const common = { label, required, error: without(label, error) }
  const text = typeof answer === 'string' ? answer : ''
  switch (field.type) {
    case 'text':
      return (
        <TextInput
          {...common}
          placeholder={placeholder}
          value={text}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )
    case 'textarea':
      return (
        <Textarea
          {...common}
          placeholder={placeholder}
          rows={3}
          value={text}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )
    case 'select':
      return (
        <NativeSelect
          {...common}
          value={text}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
          data={[{ value: '', label: placeholder === '' ? 'Choose' : placeholder }, ...options]}
        />
      )
    case 'multi_select':
      return (
        <Checkbox.Group {...common} value={Array.isArray(answer) ? answer : []} onChange={onChange}>
          <Stack gap="xs" mt="xs">
            {options.map((option) => (
              <Checkbox key={option} value={option} label={option} />
            ))}
          </Stack>
        </Checkbox.Group>
      )
    case 'checkbox':
      return (
        <Checkbox
          label={required ? `${label} (required)` : label}
          error={common.error}
          checked={answer === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
      )
  }
}
