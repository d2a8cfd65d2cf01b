import { NativeSelect, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { FailureMode } from '../../../../../domain/template.ts'
import { scriptsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { may, useMe } from '../../../api/session.ts'
import type { TemplateFormProps } from './template-form.tsx'

const modes: Record<FailureMode, string> = {
  ignore: 'It runs beside the request; nothing changes',
  retry: 'It runs beside the request, and is tried again',
  block: 'The approval waits for it, and fails with it',
}

const isMode = (text: string): text is FailureMode => Object.hasOwn(modes, text)

/** The script that is run on the requests' events. */
export function Triggering({ form: { draft, set, errors } }: Pick<TemplateFormProps, 'form'>) {
  return (
    <Section title="Trigger task" about="A script that runs when something happens to a request.">
      <TaskSelect
        task_id={draft.trigger_task_id}
        error={errors['/trigger_task_id']}
        onChange={(trigger_task_id) =>
          set({ trigger_task_id, ...(trigger_task_id === '' && { trigger_task_failure_mode: 'ignore' }) })
        }
      />
      <NativeSelect
        label="When it fails"
        disabled={draft.trigger_task_id === ''}
        value={draft.trigger_task_failure_mode}
        error={errors['/trigger_task_failure_mode']}
        onChange={({ currentTarget: { value } }) => {
          if (isMode(value)) set({ trigger_task_failure_mode: value })
        }}
        data={Object.entries(modes).map(([value, label]) => ({ value, label: `${value}: ${label}` }))}
      />
    </Section>
  )
}

type TaskSelectProps = { task_id: string; error: string | undefined; onChange: (id: string) => void }

/** Who does not manage scripts sees none to choose from; what is bound stays bound. */
function TaskSelect({ task_id, error, onChange }: TaskSelectProps) {
  const mayChoose = may(useMe(), 'scripts.manage')
  const { data = [] } = useQuery({ ...scriptsQuery, enabled: mayChoose })
  const isKnown = task_id === '' || data.some(({ id }) => id === task_id)
  return (
    <>
      <NativeSelect
        label="Script"
        disabled={!mayChoose}
        value={task_id}
        error={error}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
        data={[
          { value: '', label: 'None' },
          ...data.map(({ id, name }) => ({ value: id, label: name })),
          ...(isKnown ? [] : [{ value: task_id, label: 'The one that is bound now' }]),
        ]}
      />
      <Text size="sm" c="dimmed">
        {mayChoose ? (
          <>
            Write and try scripts under <Link to="/scripts">Scripts</Link>.
          </>
        ) : (
          'Binding a script needs the permission scripts.manage.'
        )}
      </Text>
    </>
  )
}
