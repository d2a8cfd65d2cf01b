import { Checkbox, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'

import classes from './choose-many.module.css'

type Choice = { value: string; label: string; note?: string }

type ChooseManyProps = {
  label: string
  description?: string
  choices: Choice[]
  values: string[]
  error?: string | undefined
  /** Said where nothing can be chosen. */
  none: string
  onChange: (values: string[]) => void
}

const searchedFrom = 9

/** Some out of many, in the order in which they are ticked; a longer list can be searched. */
export function ChooseMany({ label, description, choices, values, error, none, onChange }: ChooseManyProps) {
  const [q, setQ] = useState('')
  const isFound = ({ value, label, note = '' }: Choice) =>
    values.includes(value) || `${label} ${note}`.toLowerCase().includes(q.toLowerCase())
  return (
    <Checkbox.Group label={label} description={description} error={error} value={values} onChange={onChange}>
      <Stack gap="xs" mt="xs">
        {choices.length >= searchedFrom && (
          <TextInput
            type="search"
            size="xs"
            aria-label={`Search: ${label}`}
            placeholder="Search"
            value={q}
            onChange={({ currentTarget }) => setQ(currentTarget.value)}
          />
        )}
        {choices.length === 0 && <Text c="dimmed">{none}</Text>}
        <div className={classes.choices}>
          {choices.filter(isFound).map(({ value, label, note }) => (
            <Checkbox key={value} value={value} label={label} description={note} />
          ))}
        </div>
      </Stack>
    </Checkbox.Group>
  )
}
