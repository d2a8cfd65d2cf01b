import { z } from 'zod'

import { AccessRequest } from './access-request.ts'
import { Instant } from './text.ts'
import { Run } from './script-task.ts'

/** What somebody can do with a request now. */
export const requestActions = ['approve', 'deny', 'revoke', 'post_message'] as const
export type RequestAction = (typeof requestActions)[number]

/** The block script that an approval waits for. */
export const BlockRun = z
  .object({
    run_id: z.string(),
    task_name: z.string(),
    approver_email: z.string().nullable(),
    started_at: Instant,
    deadline: Instant,
  })
  .meta({ id: 'BlockRun' })
export type BlockRun = z.infer<typeof BlockRun>

/** An earlier request of the same requester or for the same subject, in as few words as a decision needs. */
export const EarlierRequest = AccessRequest.pick({
  id: true,
  status: true,
  decision: true,
  template_name: true,
  app_name: true,
  requested_duration_mins: true,
  created_at: true,
  decided_at: true,
  ended_at: true,
}).meta({ id: 'EarlierRequest' })
export type EarlierRequest = z.infer<typeof EarlierRequest>

/** A run of the request's trigger task. `log` and `result` are null for who may not decide the request. */
export const RequestRun = Run.pick({
  id: true,
  task_name: true,
  version: true,
  trigger: true,
  attempt: true,
  status: true,
  ended_by: true,
  started_at: true,
  duration_ms: true,
  error: true,
})
  .extend({ result: Run.shape.result, log: Run.shape.log.nullable() })
  .meta({ id: 'RequestRun' })
export type RequestRun = z.infer<typeof RequestRun>
