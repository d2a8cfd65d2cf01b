import { Alert } from '@mantine/core'

import type { AccessRequestDetail } from '../../../domain/access-request.ts'
import { Instant } from '../ui/instant.tsx'
import { legible } from '../ui/words.tsx'
import classes from './script-refusal.module.css'

type Entry = AccessRequestDetail['timeline'][number]

const isRefusedApproval = ({ kind, detail }: Entry): boolean =>
  kind === 'trigger_run' && detail['trigger'] === 'approved' && detail['status'] === 'failed'

/** Why the block script did not let the last approval pass, in full, as long as the request is undecided. */
export function ScriptRefusal({ request }: { request: AccessRequestDetail }) {
  const refused = request.timeline.findLast(isRefusedApproval)
  if (refused === undefined || request.status !== 'pending' || request.block_run !== null) return null
  const { task_name, message } = refused.detail
  return (
    <Alert
      role="alert"
      className={classes.refusal}
      title={`The script “${String(task_name)}” did not let the approval pass`}
    >
      <pre className={classes.message}>
        {typeof message === 'string' ? legible(message) : 'It gave no reason.'}
      </pre>
      <Instant at={refused.at} />. The request is still pending: it can be approved again once the reason is
      gone.
    </Alert>
  )
}
