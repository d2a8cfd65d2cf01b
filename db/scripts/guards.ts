import type { Actor } from '../audit.ts'
import { rows } from '../client.ts'
import type { Tx } from '../client.ts'
import { assertMayGrant } from '../directory/may-grant.ts'

/**
 * A script that can hold an approval back is part of how its mappings can be had: whoever changes it, or what it goes
 * by, could grant them.
 * @throws DomainError `forbidden`, naming what is missing
 */
export async function assertMayLoosen(tx: Tx, actor: Actor, task_ids: readonly string[]): Promise<void> {
  if (task_ids.length === 0) return
  const guarded = await rows<{ mapping_id: string }>(tx`
    select unnest(mapping_ids) as mapping_id from templates
    where trigger_task_id = any (${[...task_ids]}::uuid[]) and trigger_task_failure_mode = 'block'
    union
    select (m ->> 'id')::uuid from access_requests r, jsonb_array_elements(r.mappings) m
    where r.status = 'pending' and r.trigger_task_id = any (${[...task_ids]}::uuid[])
      and r.trigger_task_failure_mode = 'block'`)
  await assertMayGrant(tx, actor, { mapping_ids: guarded.map(({ mapping_id }) => mapping_id) })
}

/** The script tasks whose latest version has this name in it, as a word. @param name of a secret: letters, digits, `_` */
export async function listTasksNaming(tx: Tx, name: string): Promise<string[]> {
  const found = await rows<{ id: string }>(tx`
    select t.id from script_tasks t join script_task_versions v on v.task_id = t.id and v.version = t.version
    where v.definition ->> 'script' ~ ${`\\m${name}\\M`}`)
  return found.map(({ id }) => id)
}
