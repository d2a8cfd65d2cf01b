import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'

import type { Identity } from '../../../domain/directory.ts'
import { identitiesQuery } from './queries.ts'

type Pick = (identity: Identity) => boolean
const everybody: Pick = () => true

type PersonInputProps = {
  label: string
  description?: string
  required?: boolean
  error?: string | undefined
  /** Who is offered. */
  isOffered?: Pick
  text: string
  onText: (text: string, identity: Identity | undefined) => void
}

/** Somebody by e-mail address or handle, completed while it is typed. */
export function PersonInput(props: PersonInputProps) {
  const { label, description, required = false, error, isOffered = everybody, text, onText } = props
  const { data = [] } = useQuery(identitiesQuery)
  const list = useId()
  const offered = data.filter(isOffered)
  const find = (email: string) =>
    offered.find((identity) => identity.email.toLowerCase() === email.trim().toLowerCase())
  const [isTyping, setTyping] = useState(false)
  const isUnknown = !isTyping && text.trim() !== '' && find(text) === undefined && data.length > 0
  return (
    <>
      <TextInput
        label={label}
        description={description}
        required={required}
        error={isUnknown ? 'Nobody here has this address: choose one of the list.' : error}
        list={list}
        autoComplete="off"
        onBlur={() => setTyping(false)}
        value={text}
        onChange={({ currentTarget }) => {
          setTyping(true)
          onText(currentTarget.value, find(currentTarget.value))
        }}
      />
      <datalist id={list}>
        {offered.slice(0, 2_000).map(({ id, email, display_name }) => (
          <option key={id} value={email} label={display_name} />
        ))}
      </datalist>
    </>
  )
}

/** One of them, by its id; null: nobody. */
export function OnePersonInput({
  id,
  onChange,
  ...props
}: Omit<PersonInputProps, 'text' | 'onText'> & { id: string | null; onChange: (id: string | null) => void }) {
  const { data = [] } = useQuery(identitiesQuery)
  const [typed, setTyped] = useState<string>()
  const text = typed ?? data.find((identity) => identity.id === id)?.email ?? ''
  return (
    <PersonInput
      {...props}
      text={text}
      onText={(text, identity) => {
        setTyped(text)
        onChange(identity?.id ?? null)
      }}
    />
  )
}

type PeopleInputProps = Omit<PersonInputProps, 'text' | 'onText'> & {
  ids: string[]
  onChange: (ids: string[]) => void
}

/** Several of them, each with a button that takes it away. */
export function PeopleInput({ ids, onChange, ...props }: PeopleInputProps) {
  const { data = [] } = useQuery(identitiesQuery)
  const [text, setText] = useState('')
  const nameOf = (id: string) => data.find((identity) => identity.id === id)?.email ?? id
  const add = (text: string, identity: Identity | undefined) => {
    const isNew = identity !== undefined && !ids.includes(identity.id)
    setText(isNew ? '' : text)
    if (isNew) onChange([...ids, identity.id])
  }
  return (
    <Stack gap="xs">
      <PersonInput {...props} text={text} onText={add} />
      {ids.map((id) => (
        <Group key={id} gap="sm">
          <Text>{nameOf(id)}</Text>
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Remove ${nameOf(id)}`}
            onClick={() => onChange(ids.filter((other) => other !== id))}
          >
            Remove
          </Button>
        </Group>
      ))}
    </Stack>
  )
}
