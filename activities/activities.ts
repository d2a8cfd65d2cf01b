import type { Sql } from '../db/client.ts'
import type { Sandbox } from '../sandbox/run-script.ts'
import { createDeliveryActivities } from './deliveries.ts'
import { createRequestActivities } from './requests.ts'
import { createScheduledActivities } from './scheduled.ts'
import { createScriptActivities } from './scripts.ts'

/** Everything that workflows have done in the world. */
export const createActivities = ({ sql, sandbox }: { sql: Sql; sandbox: Sandbox }) => ({
  ...createRequestActivities(sql),
  ...createScriptActivities(sql, sandbox),
  ...createDeliveryActivities(sql, sandbox),
  ...createScheduledActivities(sql, sandbox),
})

export type Activities = ReturnType<typeof createActivities>
