import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { nobody } from '../../../db/audit.ts'
import { getRow, rows } from '../../../db/client.ts'
import type { Identity } from '../../../domain/directory.ts'
import { createTestApi } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import {
  addAdmin,
  addApplication,
  addGroup,
  addMapping,
  addPerson,
  addRequest,
  addTemplate,
  decide,
  fresh,
} from '../../setup/people.ts'

/** Generous, for a machine that does much else. */
vi.setConfig({ testTimeout: 120_000 })

const racers = 8
const rounds = 30

let database: TestDatabase
let api: TestApi
let admin: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
})
afterAll(() => database.drop())

const pick = <Item>(items: readonly Item[]): Item => {
  const item = items[Math.floor(Math.random() * items.length)]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}

/** A small world, so that the racers meet. */
async function createWorld() {
  const { sql } = database
  const people = [await addPerson(sql), await addPerson(sql), await addPerson(sql)]
  const groups = [await addGroup(sql), await addGroup(sql)]
  const app = await addApplication(sql)
  const mappings = [await addMapping(sql, app), await addMapping(sql, app)]
  const input = { app_id: app.id, mapping_ids: mappings.map(({ id }) => id) }
  const templates = [await addTemplate(sql, input), await addTemplate(sql, input)]
  return { people, groups, app, mappings, templates }
}
type World = Awaited<ReturnType<typeof createWorld>>

/** Whatever is refused is refused with a code; anything else fails the test. */
const quietly = (work: Promise<unknown>) =>
  work.catch((error: unknown) => {
    expect(String(error)).toMatch(/^(DomainError|IllegalTransition)|the requester is not active/)
  })

async function askAndGrant(world: World): Promise<void> {
  const { sql } = database
  const id = await addRequest(sql, pick(world.templates), pick(world.people))
  await decide(sql, id, { event: 'approved', actor: nobody, source: 'auto', comment: null })
}

/** Refused or not, an answer is no failure of ours. */
async function call(method: string, path: string, body?: unknown): Promise<void> {
  const answer = await api.call(method, path, { as: admin.id, body })
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500)
}

function act(world: World): Promise<unknown> {
  const [person, group, mapping, template] = [
    pick(world.people),
    pick(world.groups),
    pick(world.mappings),
    pick(world.templates),
  ]
  const template_input = { name: template.name, app_id: world.app.id, approver_group_ids: [group.id] }
  return pick([
    () => call('PATCH', `/identities/${person.id}`, { status: pick(['active', 'active', 'disabled']) }),
    () => call('PUT', `/groups/${group.id}`, { name: group.name, description: fresh('d') }),
    () => call(pick(['PUT', 'DELETE']), `/groups/${group.id}/members/${person.id}`),
    () => call(pick(['PUT', 'DELETE']), `/groups/${group.id}/mappings/${mapping.id}`),
    () =>
      call('PUT', `/app-mappings/${mapping.id}`, {
        name: mapping.name,
        claim: 'roles',
        value: pick(['a', 'b']),
      }),
    () => call('PUT', `/access-request-templates/${template.id}`, template_input),
    () =>
      call('PUT', `/access-request-templates/${template.id}`, {
        ...template_input,
        mapping_ids: [mapping.id],
      }),
    () => call('DELETE', `/${pick([`groups/${group.id}`, `app-mappings/${mapping.id}`])}`),
    () => call('DELETE', `/applications/${world.app.id}`),
    () => quietly(askAndGrant(world)),
  ])()
}

test('Everything at once: nothing fails, nothing deadlocks, and each version has its event', async () => {
  const { sql } = database
  for (let round = 0; round < rounds; round += 1) {
    const world = await createWorld()
    await Promise.all(Array.from({ length: racers }, () => act(world).then(() => act(world))))
  }
  const stray = await rows(sql`
    select t.name from templates t, unnest(t.approver_group_ids) named
      where named not in (select id from groups)
    union all
    select t.name from templates t, unnest(t.mapping_ids) named where named not in (select id from app_mappings)
    union all
    select i.email from identities i join access_requests r on i.id in (r.requester_id, r.subject_id)
      where i.status = 'disabled' and r.status in ('pending', 'approved')`)
  expect(stray).toEqual([])
  const unaudited = await rows(sql`
    with versions as (
      select id, version from identities union all select id, version from groups where kind = 'standing'
      union all select id, version from applications union all select id, version from app_mappings
    ) select id from versions where version <> (
      select count(*) from audit_events e where e.object_id = versions.id and e.kind not like 'membership.%')`)
  expect(unaudited).toEqual([])
  const { deadlocks } = await getRow<{ deadlocks: number }>(
    sql`select deadlocks::int from pg_stat_database where datname = current_database()`,
  )
  expect(deadlocks).toBe(0)
})
