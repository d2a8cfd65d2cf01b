import { Group, Stack, Text, Textarea } from '@mantine/core'
import { useState } from 'react'

import type { AccessRequestDetail } from '../../../domain/access-request.ts'
import { isProblem } from '../api/problem.ts'
import { BusyButton } from '../ui/busy-button.tsx'
import { Refusal } from '../ui/states.tsx'
import { BlockRunProgress } from './block-run-progress.tsx'
import { ScriptRefusal } from './script-refusal.tsx'
import { useAct } from './use-act.ts'

type DecisionFormProps = {
  request: AccessRequestDetail
  /** After the request has been decided here. */
  onDecided?: () => void
}

/** Approve or deny, with a comment. Ctrl+Enter approves. */
export function DecisionForm({ request, onDecided = () => undefined }: DecisionFormProps) {
  const [comment, setComment] = useState('')
  const whose = `${request.template_name} for ${request.subject_name}.`
  const approve = useAct('approve', request.id, `Approved: ${whose}`, onDecided)
  const deny = useAct('deny', request.id, `Denied: ${whose}`, onDecided)
  const isChecking = request.block_run !== null
  const error = deny.error ?? approve.error
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!isChecking) approve.mutate(comment)
      }}
    >
      <Stack gap="sm">
        {request.block_run !== null && <BlockRunProgress run={request.block_run} />}
        <ScriptRefusal request={request} />
        {error !== null && !isProblem(error, 'trigger_task_blocked') && <Refusal error={error} />}
        <Textarea
          label="Comment (optional)"
          description="The requester reads it."
          rows={2}
          value={comment}
          onChange={({ currentTarget }) => setComment(currentTarget.value)}
          onKeyDown={({ key, ctrlKey, metaKey, currentTarget }) => {
            if (key === 'Enter' && (ctrlKey || metaKey)) currentTarget.form?.requestSubmit()
          }}
        />
        <Group gap="sm">
          <BusyButton type="submit" loading={approve.isPending} disabled={isChecking || deny.isPending}>
            Approve
          </BusyButton>
          <BusyButton variant="default" loading={deny.isPending} onClick={() => deny.mutate(comment)}>
            Deny
          </BusyButton>
          <Text size="sm" c="dimmed" className={isChecking ? undefined : 'by-keyboard'}>
            {isChecking ? 'Wait for the script, or deny.' : 'Ctrl+Enter in the comment approves.'}
          </Text>
        </Group>
      </Stack>
    </form>
  )
}
