import { TextInput } from '@mantine/core'

type MomentInputProps = {
  label: string
  description?: string
  required?: boolean
  /** RFC 3339; null: none. */
  at: string | null
  error?: string | undefined
  onChange: (at: string | null) => void
}

const two = (value: number): string => String(value).padStart(2, '0')

/** As the browser's own field writes it, in the viewer's time zone. */
function asLocal(at: string | null): string {
  if (at === null) return ''
  const date = new Date(at)
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`
}

/** A day and a time in the viewer's zone. */
export function MomentInput({ label, description, required = false, at, error, onChange }: MomentInputProps) {
  return (
    <TextInput
      type="datetime-local"
      label={label}
      description={description}
      required={required}
      value={asLocal(at)}
      error={error}
      onChange={({ currentTarget: { value } }) =>
        onChange(value === '' ? null : new Date(value).toISOString())
      }
    />
  )
}
