import type { Sql } from '../db/client.ts'
import { endDelivery, findDelivery, readEventConfig } from '../db/scripts/deliveries.ts'
import type { Delivery } from '../db/scripts/deliveries.ts'
import { findRunnable } from '../db/scripts/tasks.ts'
import type { RunnableTask } from '../db/scripts/tasks.ts'
import { DomainError } from '../domain/errors.ts'
import type { RunOutcome, RunPlan } from '../workflows/contract.ts'
import { closeLost, planOf, runAttempt } from './attempts.ts'
import type { Attempt } from './attempts.ts'
import { refusing } from './refusal.ts'
import type { Runner } from './run-task.ts'

type Key = { delivery_id: string; attempt: number }

/** Integration events, told to the script tasks that are bound to them. */
export function createDeliveryActivities(sql: Sql, runner: Runner) {
  async function getDelivery(id: string): Promise<Delivery> {
    const delivery = await findDelivery(sql, id)
    if (delivery === undefined) throw new DomainError('not_found', 'There is no such delivery any more.')
    return delivery
  }

  const attemptOf = ({ task_id, event_type, request_id, event_id }: Delivery, attempt: number): Attempt => ({
    task_id,
    trigger: event_type,
    request_id,
    event_id,
    attempt,
  })

  /** Whoever was disabled or unbound since the event is not told of it, nor tried again. */
  async function findBound({ id, task_id, event_type }: Delivery): Promise<RunnableTask | undefined> {
    const task = await findRunnable(sql, task_id)
    if (task?.definition.enabled && task.definition.events.includes(event_type)) return task
    await endDelivery(sql, id, 'skipped')
    return undefined
  }

  async function planDelivery({ delivery_id }: { delivery_id: string }): Promise<RunPlan> {
    const delivery = await findDelivery(sql, delivery_id)
    return delivery === undefined ? null : planOf(await findBound(delivery))
  }

  async function runDeliveryScript({ delivery_id, attempt }: Key): Promise<RunOutcome> {
    const delivery = await getDelivery(delivery_id)
    const task = await findBound(delivery)
    if (task === undefined)
      throw new DomainError('not_found', 'The script task is disabled, or not bound to this event any more.')
    const config = await readEventConfig(sql, delivery)
    return runAttempt(sql, runner, attemptOf(delivery, attempt), { config, task })
  }

  return {
    planDelivery: refusing(planDelivery),
    runDeliveryScript: refusing(runDeliveryScript),
    closeLostDelivery: refusing(async ({ delivery_id, attempt }: Key) =>
      closeLost(sql, attemptOf(await getDelivery(delivery_id), attempt)),
    ),
    endDelivery: ({ delivery_id, status }: { delivery_id: string; status: RunOutcome['status'] }) =>
      endDelivery(sql, delivery_id, status),
  }
}
