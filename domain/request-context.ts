import { z } from 'zod'

import { AccessRequest } from './access-request.ts'
import { Run } from './script-task.ts'

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
