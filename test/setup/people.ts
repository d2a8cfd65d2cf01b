import { randomUUIDv7 } from 'node:crypto'

import { nobody } from '../../db/audit.ts'
import { getRow, rows, transaction } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import { createAppMapping } from '../../db/directory/app-mappings.ts'
import { createApplication } from '../../db/directory/applications.ts'
import { findCaller } from '../../db/directory/caller.ts'
import { putGroupMapping } from '../../db/directory/group-mappings.ts'
import { createGroup } from '../../db/directory/groups.ts'
import { createIdentity } from '../../db/directory/identities.ts'
import { putMembership } from '../../db/directory/memberships.ts'
import { submitRequest } from '../../db/requests/submit.ts'
import { createTemplate } from '../../db/templates.ts'
import { lockRequest, transition } from '../../db/transition.ts'
import type { Change } from '../../db/transition.ts'
import { SubmissionInput } from '../../domain/access-request.ts'
import { ApplicationInput, AppMappingInput, GroupInput, IdentityInput } from '../../domain/directory.ts'
import type { Application, AppMapping, Group, Identity } from '../../domain/directory.ts'
import { TemplateInput } from '../../domain/template.ts'
import type { Template } from '../../domain/template.ts'

type Fields = { [key: string]: unknown }

/** A name that no other row has. */
export const fresh = (what: string): string => `${what}-${randomUUIDv7()}`

export async function addPerson(sql: Sql, fields: Fields = {}): Promise<Identity> {
  const name = fresh('person')
  const input = IdentityInput.parse({ email: `${name}@example.com`, display_name: name, ...fields })
  return (await createIdentity(sql, { id: randomUUIDv7(), input, actor: nobody })).resource
}

/** What every machine has to have besides an owner. */
const machine = { kind: 'service_account', purpose: 'Runs the builds', privilege_class: 'low' }

/** A service account of `owner_id`, unless `fields` says otherwise. */
export const addServiceAccount = (sql: Sql, owner_id: string, fields: Fields = {}): Promise<Identity> =>
  addPerson(sql, { ...machine, email: fresh('bot'), owner_id, ...fields })

export type Member = { id: string }

export async function addMember(sql: Sql, group: Member, member: Member, expires_at: string | null = null) {
  const place = { group_id: group.id, identity_id: member.id, expires_at }
  await putMembership(sql, { ...place, actor: nobody, precondition: undefined })
}

export async function addGroup(sql: Sql, members: Member[] = [], fields: Fields = {}): Promise<Group> {
  const input = GroupInput.parse({ name: fresh('group'), ...fields })
  const { resource: group } = await createGroup(sql, { id: randomUUIDv7(), input, actor: nobody })
  for (const member of members) await addMember(sql, group, member)
  return group
}

/** A person in a new group that holds access_requests.manage. */
export async function addAdmin(sql: Sql): Promise<Identity> {
  const admin = await addPerson(sql)
  await addGroup(sql, [admin], { permissions: ['access_requests.manage'] })
  return admin
}

export async function addApplication(sql: Sql, fields: Fields = {}): Promise<Application> {
  const name = fresh('app')
  const input = ApplicationInput.parse({ name, slug: name, ...fields })
  return (await createApplication(sql, { id: randomUUIDv7(), input, actor: nobody })).resource
}

export async function addMapping(sql: Sql, app: Member, fields: Fields = {}): Promise<AppMapping> {
  const input = AppMappingInput.parse({ name: fresh('mapping'), claim: 'roles', value: 'reader', ...fields })
  const save = { id: randomUUIDv7(), app_id: app.id, input, actor: nobody }
  return (await createAppMapping(sql, save)).resource
}

export async function addGroupMapping(sql: Sql, group: Member, mapping: Member): Promise<void> {
  const link = { group_id: group.id, mapping_id: mapping.id, actor: nobody, precondition: undefined }
  await putGroupMapping(sql, link)
}

/** For a new application, unless `fields` names one. */
export async function addTemplate(sql: Sql, fields: Fields = {}): Promise<Template> {
  const app_id = fields['app_id'] ?? (await addApplication(sql)).id
  const input = TemplateInput.parse({ name: fresh('template'), ...fields, app_id })
  return (await createTemplate(sql, { id: randomUUIDv7(), input, actor: nobody })).resource
}

/** A pending request of `requester` for an hour; no workflow knows of it. Returns its id. */
export async function addRequest(sql: Sql, template: Member, requester: Member, fields: Fields = {}) {
  const caller = await findCaller(sql, requester.id)
  if (caller === undefined) throw new Error('the requester is not active')
  const asked = { template_id: template.id, requested_duration_mins: 60, justification: 'The incident.' }
  const input = SubmissionInput.parse({ ...asked, ...fields })
  const submission = { id: randomUUIDv7(), input, caller, max_duration_mins: 43_200 }
  return (await submitRequest(sql, submission)).request_id
}

export const decide = (sql: Sql, request_id: string, change: Change): Promise<void> =>
  transaction(sql, async (tx) => {
    const request = await lockRequest(tx, request_id)
    if (request) await transition(tx, request, change)
  })

/** A request that was approved, by nobody. Returns its id and the temporary group of its grant. */
export async function addGrant(sql: Sql, template: Member, requester: Member, fields: Fields = {}) {
  const request_id = await addRequest(sql, template, requester, fields)
  await decide(sql, request_id, { event: 'approved', actor: nobody, source: 'auto', comment: null })
  return getRow<{ request_id: string; group_id: string }>(
    sql`select request_id, group_id from grants where request_id = ${request_id}`,
  )
}

export type RecordedEvent = { kind: string; actor_id: string | null; detail: Fields }

/** What the audit log says of an object, oldest first. */
export const eventsOf = (sql: Sql, object_id: string): Promise<RecordedEvent[]> =>
  rows<RecordedEvent>(
    sql`select kind, actor_id, detail from audit_events where object_id = ${object_id} order by seq`,
  )
