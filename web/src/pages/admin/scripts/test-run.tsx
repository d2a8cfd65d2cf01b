import { Button, Checkbox, Group, NativeSelect, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { linesOf } from '../../../admin/lines.ts'
import { Section } from '../../../admin/section.tsx'
import type { ScriptTaskFields } from '../../../api/admin-routes.ts'
import { call } from '../../../api/call.ts'
import { isProblem } from '../../../api/problem.ts'
import { Refusal } from '../../../ui/states.tsx'
import { RunDetails, RunSummary } from './run-view.tsx'
import { eventNames } from './running.tsx'

const samples = [
  ...['created', 'approved', 'denied', 'revoked', 'expired'].map((event) => ({
    value: event,
    label: `Trigger of a template: ${event}`,
  })),
  ...Object.entries(eventNames).map(([value, label]) => ({ value, label: `${label} (${value})` })),
]

type On = { sample: string; request_id: string; make_calls: boolean }

/** The id in what was pasted: an id, or the address of a request's page. */
const idIn = (text: string): string => linesOf(text)[0]?.split('/').at(-1) ?? ''

function useTestRun(fieldsNow: () => ScriptTaskFields) {
  return useMutation({
    mutationFn: ({ sample, request_id, make_calls }: On) => {
      const { name, ...fields } = fieldsNow()
      const on = request_id === '' ? { sample } : { sample, request_id: idIn(request_id) }
      return call('POST /scheduled-tasks/test', {
        body: { name: name || 'draft', ...fields, ...on, make_calls },
      })
    },
  })
}

/** Tries the script as it stands in the form, saved or not. */
export function TestRun({ fieldsNow }: { fieldsNow: () => ScriptTaskFields }) {
  const [on, setOn] = useState<On>({ sample: 'approved', request_id: '', make_calls: false })
  const test = useTestRun(fieldsNow)
  return (
    <Section
      title="Try it"
      about="Runs what is written above, saved or not. The run is not kept, and changes no request."
    >
      <form
        aria-label="Try it"
        onSubmit={(event) => {
          event.preventDefault()
          test.mutate(on)
        }}
      >
        <Stack gap="md">
          <NativeSelect
            label="Event"
            description="Its facts are invented, unless you name a request."
            data={samples}
            value={on.sample}
            onChange={({ currentTarget }) => setOn({ ...on, sample: currentTarget.value })}
          />
          <TextInput
            label="On a real request (optional)"
            description="Its id, or the address of its page."
            value={on.request_id}
            onChange={({ currentTarget }) => setOn({ ...on, request_id: currentTarget.value })}
          />
          <Checkbox
            label="Make the calls for real"
            description="Otherwise they are written down, and answered with an empty 200."
            checked={on.make_calls}
            onChange={({ currentTarget }) => setOn({ ...on, make_calls: currentTarget.checked })}
          />
          <Group>
            <Button type="submit" variant="default" loading={test.isPending}>
              Run the test
            </Button>
          </Group>
        </Stack>
      </form>
      <div aria-live="polite">
        {test.error !== null && <TestRefusal error={test.error} />}
        {test.data && (
          <Stack gap="sm" role="group" aria-label="Test run">
            <RunSummary run={test.data} />
            <RunDetails run={test.data} />
          </Stack>
        )}
      </div>
    </Section>
  )
}

function TestRefusal({ error }: { error: Error }) {
  const { line, column } = isProblem(error) ? error.document : {}
  return (
    <Refusal
      error={error}
      {...(line !== undefined && { title: `It does not compile: line ${line}, column ${column ?? 1}` })}
    />
  )
}
