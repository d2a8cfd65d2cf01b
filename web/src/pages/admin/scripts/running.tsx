import { Checkbox, NativeSelect, Stack, TextInput } from '@mantine/core'

import type { IntegrationEvent } from '../../../../../domain/lifecycle.ts'
import { Section } from '../../../admin/section.tsx'
import type { ScriptDraft } from './script-draft.ts'
import type { ScriptFormProps } from './script-form.tsx'

/** What each event means to whoever binds a script to it. */
export const eventNames: Record<IntegrationEvent, string> = {
  'access_request.submitted': 'A request was submitted',
  'access_request.approved': 'A request was approved',
  'access_request.denied': 'A request was denied',
  'access_request.revoked': 'A request was revoked or cancelled',
  'access_request.expired': 'An access ran out',
  'access_request.escalated': 'A request escalated',
}

export const isEvent = (text: string): text is IntegrationEvent => Object.hasOwn(eventNames, text)

const schedules: Record<ScriptDraft['schedule_type'], string> = {
  once: 'Only when an event fires it, or by hand',
  interval: 'Again and again, after so many seconds',
  cron: 'At times of the calendar (cron)',
}
const isSchedule = (text: string): text is ScriptDraft['schedule_type'] => Object.hasOwn(schedules, text)

/** When it runs, for how long, and how often it is tried again. */
export function Running({ form }: ScriptFormProps) {
  const { draft, set, errors } = form
  return (
    <Section title="When it runs" about="Templates can name it as their trigger task as well.">
      <Checkbox
        label="Enabled"
        description="A disabled script runs on no event and at no time."
        checked={draft.enabled}
        onChange={({ currentTarget }) => set({ enabled: currentTarget.checked })}
      />
      <Checkbox.Group
        label="Events of every request"
        error={errors['/events']}
        value={draft.events}
        onChange={(values) => set({ events: values.filter(isEvent) })}
      >
        <Stack gap="xs" mt="xs">
          {Object.entries(eventNames).map(([event, label]) => (
            <Checkbox key={event} value={event} label={label} description={event} />
          ))}
        </Stack>
      </Checkbox.Group>
      <Schedule form={form} />
      <TextInput
        label="Time limit, in seconds"
        description="At most 300. A run that blocks an approval has at most 30."
        inputMode="numeric"
        w="fit-content"
        value={draft.timeout_seconds}
        error={errors['/timeout_seconds']}
        onChange={({ currentTarget }) => set({ timeout_seconds: currentTarget.value })}
      />
      <TextInput
        label="Further attempts after a failure"
        inputMode="numeric"
        w="fit-content"
        value={draft.max_retries}
        error={errors['/max_retries']}
        onChange={({ currentTarget }) => set({ max_retries: currentTarget.value })}
      />
    </Section>
  )
}

function Schedule({ form: { draft, set, errors } }: ScriptFormProps) {
  return (
    <>
      <NativeSelect
        label="Schedule"
        value={draft.schedule_type}
        error={errors['/schedule_type']}
        onChange={({ currentTarget: { value } }) => {
          if (isSchedule(value)) set({ schedule_type: value })
        }}
        data={Object.entries(schedules).map(([value, label]) => ({ value, label }))}
      />
      {draft.schedule_type === 'interval' && (
        <TextInput
          label="Seconds between two runs"
          inputMode="numeric"
          w="fit-content"
          value={draft.interval_seconds}
          error={errors['/interval_seconds']}
          onChange={({ currentTarget }) => set({ interval_seconds: currentTarget.value })}
        />
      )}
      {draft.schedule_type === 'cron' && <Calendar draft={draft} set={set} errors={errors} />}
    </>
  )
}

function Calendar({ draft, set, errors }: Pick<ScriptFormProps['form'], 'draft' | 'set' | 'errors'>) {
  return (
    <>
      <TextInput
        label="Cron expression"
        description="Minute, hour, day of the month, month, day of the week: 0 9 * * MON-FRI is nine o'clock on working days."
        value={draft.cron_expression}
        error={errors['/cron_expression']}
        onChange={({ currentTarget }) => set({ cron_expression: currentTarget.value })}
      />
      <TextInput
        label="Time zone"
        description="Such as Europe/London. Empty: UTC."
        list="time-zones"
        autoComplete="off"
        value={draft.timezone}
        error={errors['/timezone']}
        onChange={({ currentTarget }) => set({ timezone: currentTarget.value })}
      />
      <datalist id="time-zones">
        {['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  )
}
