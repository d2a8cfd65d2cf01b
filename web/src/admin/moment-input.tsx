import { TextInput } from '@mantine/core'
import { useState } from 'react'

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
  const day = [
    String(date.getFullYear()).padStart(4, '0'),
    two(date.getMonth() + 1),
    two(date.getDate()),
  ].join('-')
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`
}

const unfinished = 'Fill in the day and the time, or clear them both.'

/** A day and a time in the viewer's zone. Half of it is refused: nobody means "for good" by it. */
export function MomentInput({ label, description, required = false, at, error, onChange }: MomentInputProps) {
  const [isUnfinished, setUnfinished] = useState(false)
  return (
    <TextInput
      type="datetime-local"
      label={label}
      description={description}
      required={required}
      max="9999-12-31T23:59"
      value={asLocal(at)}
      error={isUnfinished ? unfinished : error}
      onInvalid={() => setUnfinished(true)}
      onBlur={({ currentTarget }) => setUnfinished(currentTarget.validity.badInput)}
      onChange={({ currentTarget: { value, validity } }) => {
        setUnfinished(isUnfinished && validity.badInput)
        onChange(value === '' ? null : new Date(value).toISOString())
      }}
    />
  )
}
