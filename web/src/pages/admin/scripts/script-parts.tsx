import { Alert, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'

import type { ScriptTask } from '../../../../../domain/script-task.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { templatesQuery } from '../../../admin/queries.ts'
import { call } from '../../../api/call.ts'
import classes from './script-parts.module.css'

const parts = [
  ['script', 'Script and settings'],
  ['runs', 'Runs'],
  ['deliveries', 'Deliveries'],
  ['versions', 'Versions'],
] as const

/** The parts of a script's page, each with an address of its own. */
export function ScriptParts({ task_id, part }: { task_id: string; part: string }) {
  return (
    <nav aria-label="Parts of the script" className={classes.parts}>
      {parts.map(([name, label]) => (
        <Link
          key={name}
          to="/scripts/$taskId"
          params={{ taskId: task_id }}
          search={name === 'script' ? {} : { part: name }}
          className={classes.part}
          data-current={name === part}
          aria-current={name === part ? 'page' : undefined}
          resetScroll={false}
        >
          {label}
        </Link>
      ))}
    </nav>
  )
}

/** Why it does not run, and what it is the trigger task of. */
export function ScriptState({ task }: { task: ScriptTask }) {
  return (
    <>
      {task.disabled_reason !== null && (
        <Alert role="alert" title="Hallpass has disabled this script">
          {task.disabled_reason} Mend it, tick “Enabled” and save.
        </Alert>
      )}
      {!task.enabled && task.disabled_reason === null && (
        <Text>It is disabled: it runs on no event and at no time.</Text>
      )}
      <UsedBy task_id={task.id} />
    </>
  )
}

/** Keeps its line while it is on the way. */
function UsedBy({ task_id }: { task_id: string }) {
  const { data: templates, isPending } = useQuery(templatesQuery)
  const using = templates?.filter(({ trigger_task_id }) => trigger_task_id === task_id) ?? []
  if (isPending) return <Text aria-hidden="true">{'\u00a0'}</Text>
  if (using.length === 0) return <Text c="dimmed">No template names it as its trigger task.</Text>
  return (
    <Text>
      Trigger task of{' '}
      {using.map(({ id, name }, index) => (
        <span key={id}>
          {index > 0 && ', '}
          <Link to="/templates/$templateId" params={{ templateId: id }}>
            {name}
          </Link>
        </span>
      ))}
    </Text>
  )
}

export function ScriptActions({ task }: { task: ScriptTask }) {
  const navigate = useNavigate()
  return (
    <DeleteButton
      question={`Delete “${task.name}”?`}
      consequence="Its versions and runs go with it. While a template or an open request names it, it cannot be deleted."
      said="The script is deleted."
      keys={[]}
      remove={() => call('DELETE /scheduled-tasks/{id}', { params: { id: task.id } })}
      onDeleted={() => void navigate({ to: '/scripts' })}
    />
  )
}
