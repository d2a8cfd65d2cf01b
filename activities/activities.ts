import type { Sql } from '../db/client.ts'
import { createDeliveryActivities } from './deliveries.ts'
import { createRequestActivities } from './requests.ts'
import type { Runner } from './run-task.ts'
import { createScheduledActivities } from './scheduled.ts'
import { createScriptActivities } from './scripts.ts'

/** Everything that workflows have done in the world. */
export const createActivities = ({ sql, ...runner }: { sql: Sql } & Runner) => ({
  ...createRequestActivities(sql),
  ...createScriptActivities(sql, runner),
  ...createDeliveryActivities(sql, runner),
  ...createScheduledActivities(sql, runner),
})

export type Activities = ReturnType<typeof createActivities>
