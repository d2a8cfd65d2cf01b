import { Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import { Section } from '../../../admin/section.tsx'
import { errorIn } from '../../../admin/use-form.ts'
import type { ScriptFormProps } from './script-form.tsx'

/** Where it may call, and what it is told beside the event. */
export function Reach({ form }: ScriptFormProps) {
  const { draft, set, errors } = form
  return (
    <Section title="What it reaches">
      <Textarea
        label="Hosts that it may call, one a line"
        description="example.com, *.example.com or example.com:8443. Empty: none."
        rows={3}
        value={draft.egress_hosts}
        error={errorIn(errors, '/egress_hosts')}
        onChange={({ currentTarget }) => set({ egress_hosts: currentTarget.value })}
      />
      <Text size="sm" c="dimmed">
        Passwords and tokens are kept under <Link to="/secrets">Secrets</Link>: a script names them, and never
        sees them.
      </Text>
      <Config form={form} />
    </Section>
  )
}

function Config({ form: { draft, set, errors } }: ScriptFormProps) {
  const change = (at: number, changes: Partial<{ key: string; value: string }>) =>
    set({ config: draft.config.map((entry, index) => (index === at ? { ...entry, ...changes } : entry)) })
  return (
    <Stack gap="sm" role="group" aria-label="Configuration">
      <Text fw={600} size="sm">
        Configuration
      </Text>
      <Text size="sm" c="dimmed">
        Texts that the script reads with config.get. What an event tells goes before them.
      </Text>
      {draft.config.map(({ key, value }, index) => (
        <Group key={index} gap="sm" align="flex-end">
          <TextInput
            label="Key"
            value={key}
            error={errors[`/config/${key}`]}
            onChange={({ currentTarget }) => change(index, { key: currentTarget.value })}
          />
          <TextInput
            label="Value"
            flex="1 1 14rem"
            value={value}
            onChange={({ currentTarget }) => change(index, { value: currentTarget.value })}
          />
          <Button
            variant="default"
            aria-label={`Remove ${key || `entry ${index + 1}`}`}
            onClick={() => set({ config: draft.config.toSpliced(index, 1) })}
          >
            Remove
          </Button>
        </Group>
      ))}
      <Button
        variant="default"
        w="fit-content"
        onClick={() => set({ config: [...draft.config, { key: '', value: '' }] })}
      >
        Add an entry
      </Button>
    </Stack>
  )
}
