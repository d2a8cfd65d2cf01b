import { Group, NativeSelect, Radio, TextInput } from '@mantine/core'
import { useState } from 'react'

import type { CatalogueEntry } from '../../../../domain/catalogue.ts'
import { inWords } from '../../ui/durations.ts'

type DurationInputProps = {
  entry: Pick<CatalogueEntry, 'allowed_durations' | 'max_duration_mins'>
  mins: number | null
  error: string | undefined
  onChange: (mins: number | null) => void
}

/** One of the template's durations, or any where it names none. */
export function DurationInput({ entry, mins, error, onChange }: DurationInputProps) {
  if (entry.allowed_durations.length === 0)
    return <FreeDuration most={entry.max_duration_mins} mins={mins} error={error} onChange={onChange} />
  return (
    <Radio.Group
      label="For how long"
      value={String(mins)}
      error={error}
      onChange={(value) => onChange(Number(value))}
    >
      <Group gap="lg" mt="xs">
        {entry.allowed_durations
          .toSorted((one, other) => one - other)
          .map((duration) => (
            <Radio key={duration} value={String(duration)} label={inWords(duration)} />
          ))}
      </Group>
    </Radio.Group>
  )
}

const units = [
  { label: 'minutes', value: '1' },
  { label: 'hours', value: '60' },
  { label: 'days', value: '1440' },
]

/** The largest unit in which it is a whole number. */
const unitOf = (mins: number): number => [1_440, 60].find((size) => mins >= size && mins % size === 0) ?? 1

type FreeDurationProps = Omit<DurationInputProps, 'entry'> & { most: number }

function FreeDuration({ most, mins, error, onChange }: FreeDurationProps) {
  const [unit, setUnit] = useState(() => unitOf(mins ?? 60))
  const [text, setText] = useState(() => String((mins ?? 60) / unit))
  const tell = (text: string, unit: number) => {
    setText(text)
    setUnit(unit)
    onChange(/^\d{1,7}$/.test(text.trim()) ? Number(text) * unit : null)
  }
  return (
    <Group gap="sm" align="flex-end">
      <TextInput
        label="For how long"
        description={`At most ${inWords(most)}.`}
        inputMode="numeric"
        value={text}
        error={error}
        onChange={({ currentTarget }) => tell(currentTarget.value, unit)}
      />
      <NativeSelect
        aria-label="Unit"
        data={units}
        value={String(unit)}
        onChange={({ currentTarget }) => tell(text, Number(currentTarget.value))}
      />
    </Group>
  )
}
