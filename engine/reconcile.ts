import { WorkflowNotFoundError } from '@temporalio/client'

import { rows } from '../db/client.ts'
import type { Sql } from '../db/client.ts'
import { workflowId, workflowTypes } from '../workflows/contract.ts'
import type { Engine } from './engine.ts'

/** Open requests that are old enough to have a workflow. */
const findOpen = (sql: Sql) =>
  rows<{ id: string }>(sql`
    select id from access_requests
    where status in ('pending', 'approved') and created_at < clock_timestamp() - interval '5 seconds'`)

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

async function listRunning({ client }: Engine): Promise<Set<string>> {
  const running = new Set<string>()
  const query = `WorkflowType = '${workflowTypes.accessRequest}' AND ExecutionStatus = 'Running'`
  for await (const { workflowId } of client.workflow.list({ query })) running.add(workflowId)
  return running
}

/** Lists lag behind, so the last word is the workflow's own description. */
async function isRunning({ client }: Engine, request_id: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId(request_id)).describe()).status.name === 'RUNNING'
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  }
}

/** Those of the running workflows whose request has ended without them. */
async function findEnded(sql: Sql, running: Set<string>): Promise<string[]> {
  const ids = [...running].map((id) => id.slice(workflowId('').length)).filter((id) => uuid.test(id))
  const found = await rows<{ id: string }>(sql`
    select id from access_requests where id = any (${ids}::uuid[]) and status not in ('pending', 'approved')`)
  return found.map(({ id }) => id)
}

/** The ids of requests: `started` had no workflow, `told` had one that did not know of its end. */
export type Reconciled = { started: string[]; told: string[] }

const atOnce = 20

/** The ids for which `work` answers yes. One that fails does not keep the others: the failures are told at the end. */
async function workThrough(ids: string[], work: (id: string) => Promise<boolean>): Promise<string[]> {
  const done: string[] = []
  const failures: unknown[] = []
  for (let first = 0; first < ids.length; first += atOnce) {
    const some = ids.slice(first, first + atOnce)
    const results = await Promise.allSettled(some.map(work))
    results.forEach((result, index) => {
      if (result.status === 'rejected') failures.push(result.reason)
      else if (result.value) done.push(some[index] ?? '')
    })
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} request(s) have no workflow`)
  return done
}

/**
 * Brings the workflows in line with the database: starts that of every open request that has none (it was terminated,
 * or the engine's store is new), and tells that of every ended request which still waits (it was ended without it).
 * @throws when that was not possible for some of them; it was done for all others
 */
export async function reconcile(sql: Sql, engine: Engine): Promise<Reconciled> {
  const running = await listRunning(engine)
  const told = await findEnded(sql, running)
  for (const id of told) await engine.poke(id)
  const open = (await findOpen(sql)).map(({ id }) => id).filter((id) => !running.has(workflowId(id)))
  const started = await workThrough(open, async (id) => {
    if (await isRunning(engine, id)) return false
    await engine.start(id)
    return true
  })
  return { started, told }
}
