import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { Tx } from '../../db/client.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'

const folder = new URL('../../db/migrations/', import.meta.url)
const migration = '0013_interests.sql'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

async function migrateTo(tx: Tx, isMeant: (name: string) => boolean): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql') && isMeant(name)).toSorted()
  for (const name of names) await tx.unsafe(await readFile(new URL(name, folder), 'utf8'))
}

const addIdentity = async (tx: Tx, kind: string, owner_id: string | null = null): Promise<string> => {
  const id = randomUUID()
  await tx`insert into identities ${tx({ id, kind, email: id, display_name: id, owner_id })}`
  return id
}

const addCredential = (tx: Tx, identity_id: string, created_by: string | null) =>
  tx`insert into credentials ${tx({
    id: randomUUID(),
    identity_id,
    created_by,
    type: 'client_secret',
    secret_hash: Buffer.from(randomUUID()),
  })}`

async function addPending(tx: Tx, subject_id: string): Promise<string> {
  const id = randomUUID()
  await tx`insert into access_requests (id, template_name, app_id, app_name, mappings, snapshot, requester_id,
      requester_email, requester_name, subject_id, subject_name, requested_duration_mins, approver_group_ids,
      trigger_task_failure_mode)
    values (${id}, 'T', ${randomUUID()}, 'A', '[]', '{}', ${subject_id}, 'e', 'n', ${subject_id}, 'n', 60, '{}', 'ignore')`
  return id
}

const undone = new Error('the schema is taken back')

test('What was made before an upgrade is known after it: who made credentials, also through a machine, and what waits', async () => {
  await database.sql
    .begin(async (tx) => {
      await tx`create schema before_it`
      await tx`set local search_path to before_it`
      await migrateTo(tx, (name) => name < migration)
      const [owner, maker] = [await addIdentity(tx, 'human'), await addIdentity(tx, 'human')]
      const provisioner = await addIdentity(tx, 'workload', owner)
      const bot = await addIdentity(tx, 'agent', maker)
      const orphaned = await addIdentity(tx, 'agent', owner)
      await addCredential(tx, provisioner, maker)
      await addCredential(tx, orphaned, provisioner)
      await addCredential(tx, bot, null)
      const [waiting, other] = [await addPending(tx, orphaned), await addPending(tx, bot)]
      await migrateTo(tx, (name) => name === migration)
      const interested = async (request_id: string) =>
        (
          await rows<{ id: string }>(
            tx`select identity_id as id from request_interests where request_id = ${request_id}`,
          )
        )
          .map(({ id }) => id)
          .toSorted()
      expect(await interested(waiting)).toEqual([owner, maker, provisioner, orphaned].toSorted())
      expect(await interested(other)).toEqual([maker, bot].toSorted())
      throw undone
    })
    .catch((error: unknown) => expect(error).toBe(undone))
})

const addEvent = (tx: Tx, kind: string, [person, actor]: string[], detail: object) =>
  tx`insert into audit_events ${tx({
    id: randomUUID(),
    at: new Date(),
    kind,
    object_id: person ?? null,
    actor_id: actor ?? null,
    detail: tx.json(detail as never),
    content_hash: Buffer.from('x'),
  })}`

test('Who made people, and who disabled them by hand, is known after an upgrade from the audit log', async () => {
  await database.sql
    .begin(async (tx) => {
      await tx`create schema before_makers`
      await tx`set local search_path to before_makers`
      await migrateTo(tx, (name) => name < '0014')
      const add = () => addIdentity(tx, 'human')
      const [maker, middle, last, other, own] = [
        await add(),
        await add(),
        await add(),
        await add(),
        await add(),
      ]
      const bot = await addIdentity(tx, 'agent', maker)
      await addEvent(tx, 'identity.created', [middle, maker], { status: 'active' })
      await addEvent(tx, 'identity.created', [last, middle], { status: 'active' })
      await addEvent(tx, 'identity.created', [bot, maker], { status: 'active' })
      await addEvent(tx, 'identity.created', [own, own], { status: 'active' })
      await addEvent(tx, 'identity.updated', [other, bot], { after: { email: 'x@example.com' } })
      await addEvent(tx, 'identity.updated', [own, maker], { after: { status: 'disabled' } })
      await addEvent(tx, 'identity.updated', [last, maker], { after: { status: 'disabled' } })
      await addEvent(tx, 'identity.updated', [last], { after: { status: 'disabled' } })
      await tx`update identities set status = 'disabled' where id in (${own}, ${last})`
      await migrateTo(tx, (name) => name.startsWith('0014'))
      const made = await rows<{ identity_id: string; maker_id: string }>(tx`select * from identity_makers`)
      expect(made.map((row) => `${row.identity_id} ${row.maker_id}`).toSorted()).toEqual(
        [
          `${middle} ${maker}`,
          `${last} ${middle}`,
          `${last} ${maker}`,
          `${other} ${bot}`,
          `${other} ${maker}`,
        ].toSorted(),
      )
      expect(await rows(tx`select id, disabled_by from identities where disabled_by is not null`)).toEqual([
        { id: own, disabled_by: maker },
      ])
      throw undone
    })
    .catch((error: unknown) => expect(error).toBe(undone))
})
