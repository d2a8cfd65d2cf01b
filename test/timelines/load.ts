import type { Tx } from '../../db/client.ts'
import { foreignMapping, mappings } from './timeline.ts'
import type { Group, Timeline } from './timeline.ts'

/** The beginning of time, in milliseconds since 1970: a whole second, so that seconds are seconds. */
export const beginning = Date.parse('2026-01-01T00:00:00.000Z')

const uuid = (kind: number, number: number): string =>
  `${kind.toString(16).padStart(8, '0')}-0000-7000-8000-${number.toString(16).padStart(12, '0')}`

export const identityId = (number: number) => uuid(1, number)
export const app_id = uuid(2, 0)
const mappingId = (number: number) => uuid(3, number)

/** The groups of a timeline are numbered: those that it belongs to, those of its grants, the others. */
const groupId = (timeline: number, group: number) => uuid(4, timeline * 16 + group)
const requestId = (timeline: number, grant: number) => uuid(5, timeline * 16 + grant)

export const groupIdOf = (timeline: Timeline, number: number, source: string): string =>
  groupId(number, Number(source.slice(1)) + (source.startsWith('g') ? timeline.memberships.length : 0))
export const requestIdOf = (number: number, source: string): string | null =>
  source.startsWith('g') ? requestId(number, Number(source.slice(1))) : null

type Rows = { [table: string]: object[] }

function addGroup(rows: Rows, id: string, group: Group, request_id: string | null): void {
  const name = request_id === null ? `group ${id}` : `__access_req_${request_id}`
  rows['groups']?.push({ id, name, kind: request_id === null ? 'standing' : 'temporary', ends: group.ends })
  for (const number of group.mappings)
    rows['group_mappings']?.push({ group_id: id, mapping_id: mappingId(number) })
}

function addTimeline(rows: Rows, timeline: Timeline, number: number): void {
  const { is_active, ends, memberships, grants, others } = timeline
  const identity_id = identityId(number)
  rows['identities']?.push({ id: identity_id, status: is_active ? 'active' : 'disabled', ends })
  memberships.forEach(({ ends, group }, index) => {
    addGroup(rows, groupId(number, index), group, null)
    rows['memberships']?.push({ group_id: groupId(number, index), identity_id, ends })
  })
  grants.forEach(({ ends, group, is_ended, revocation }, index) => {
    const [group_id, id] = [groupId(number, memberships.length + index), requestId(number, index)]
    addGroup(rows, group_id, group, id)
    rows['grants']?.push({ id, subject_id: identity_id, group_id, ends, is_ended })
    if (revocation !== null) rows['commands']?.push({ id, state: revocation })
  })
  others.forEach((group, index) =>
    addGroup(rows, groupId(number, memberships.length + grants.length + index), group, null),
  )
}

const toTime = (tx: Tx, column: string) =>
  tx`${new Date(beginning)}::timestamptz + ${tx(column)} * interval '1 millisecond'`

async function loadApplications(tx: Tx): Promise<void> {
  const other = uuid(2, 1)
  await tx`insert into applications (id, name, slug) values (${app_id}, 'App', 'app'), (${other}, 'Other', 'other')`
  const all = [...mappings, { claim: 'roles', value: 'stranger' }].map((mapping, number) => ({
    ...mapping,
    id: mappingId(number),
    app_id: number === foreignMapping ? other : app_id,
    name: `mapping ${number}`,
    privilege_level: 'low',
  }))
  await tx`insert into app_mappings ${tx(all)}`
}

async function loadDirectory(tx: Tx, rows: Rows): Promise<void> {
  const read = (table: string) => tx.json((rows[table] ?? []) as never)
  await tx`insert into identities (id, kind, email, display_name, status, expires_at)
    select id, 'human', id::text, '', status, ${toTime(tx, 'ends')}
    from jsonb_to_recordset(${read('identities')}) as r (id uuid, status text, ends float8)`
  await tx`insert into groups (id, kind, name, expires_at) select id, kind, name, ${toTime(tx, 'ends')}
    from jsonb_to_recordset(${read('groups')}) as r (id uuid, kind text, name text, ends float8)`
  await tx`insert into group_mappings select group_id, mapping_id
    from jsonb_to_recordset(${read('group_mappings')}) as r (group_id uuid, mapping_id uuid)`
  await tx`insert into memberships (group_id, identity_id, expires_at) select group_id, identity_id, ${toTime(tx, 'ends')}
    from jsonb_to_recordset(${read('memberships')}) as r (group_id uuid, identity_id uuid, ends float8)`
}

async function loadGrants(tx: Tx, rows: Rows): Promise<void> {
  const read = (table: string) => tx.json((rows[table] ?? []) as never)
  const ends = toTime(tx, 'ends')
  await tx`insert into access_requests (id, status, decision, template_name, app_id, app_name, mappings, snapshot,
      requester_id, requester_email, requester_name, subject_id, subject_name, requested_duration_mins,
      approver_group_ids, trigger_task_failure_mode, expires_at)
    select id, 'approved', 'approved', '', ${app_id}, '', '[]', '{}', subject_id, '', '', subject_id, '', 1, '{}', 'ignore',
      ${ends}
    from jsonb_to_recordset(${read('grants')}) as r (id uuid, subject_id uuid, ends float8)`
  await tx`insert into grants (id, request_id, subject_id, group_id, starts_at, expires_at, ended_at, end_reason)
    select id, id, subject_id, group_id, ${ends} - interval '1 hour', ${ends},
      case when is_ended then ${ends} - interval '1 minute' end, case when is_ended then 'revoked' end
    from jsonb_to_recordset(${read('grants')}) as r (id uuid, subject_id uuid, group_id uuid, ends float8, is_ended boolean)`
  await tx`insert into commands (id, request_id, kind, state) select id, id, 'revoke', state
    from jsonb_to_recordset(${read('commands')}) as r (id uuid, state text)`
}

/** Puts the timelines into the database, each by itself, and nothing else. */
export async function loadTimelines(tx: Tx, timelines: Timeline[]): Promise<void> {
  const rows: Rows = {
    identities: [],
    groups: [],
    group_mappings: [],
    memberships: [],
    grants: [],
    commands: [],
  }
  timelines.forEach((timeline, number) => addTimeline(rows, timeline, number))
  // What the rows refer to is made with them; to look each of it up takes longer than all that is tested.
  await tx`set local session_replication_role = replica`
  await tx`truncate identities, groups, applications cascade`
  await loadApplications(tx)
  await loadDirectory(tx, rows)
  await loadGrants(tx, rows)
  await tx`analyze identities, groups, memberships, grants, commands, group_mappings, app_mappings`
}
