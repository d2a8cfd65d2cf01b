import { Group, NativeSelect, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { BusyButton } from '../ui/busy-button.tsx'
import { Refusal } from '../ui/states.tsx'

type ChooseOneProps = {
  label: string
  /** What the button says, which does something with the one that is chosen. */
  action: string
  choices: { value: string; label: string }[]
  write: (value: string) => Promise<unknown>
  /** The first part of the query keys that this makes old. */
  keys: string[]
}

/** One out of a list, taken by a button beside it. */
export function ChooseOne({ label, action, choices, write, keys }: ChooseOneProps) {
  const client = useQueryClient()
  const [chosen, setChosen] = useState('')
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => write(chosen),
    onSuccess: async () => {
      setChosen('')
      await Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] })))
    },
  })
  const none = choices.length === 0 ? 'There is no other' : 'Choose'
  return (
    <Stack gap="sm">
      <Group gap="sm" align="flex-end">
        <NativeSelect
          label={label}
          value={chosen}
          onChange={({ currentTarget }) => setChosen(currentTarget.value)}
          data={[{ value: '', label: none }, ...choices]}
        />
        <BusyButton variant="default" disabled={chosen === ''} loading={isPending} onClick={() => mutate()}>
          {action}
        </BusyButton>
        {chosen === '' && choices.length > 0 && <Text size="sm">Choose one first.</Text>}
      </Group>
      {error !== null && <Refusal error={error} />}
    </Stack>
  )
}
