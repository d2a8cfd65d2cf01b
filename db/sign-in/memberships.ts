import { appendAudit, nobody } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, rows } from '../client.ts'
import type { Tx } from '../client.ts'

type Change = { provider_id: string; actor: Actor; identity_id: string; email: string }
type Group = { group_id: string; group_name: string }

const audited = (kind: string, { actor, identity_id, email, provider_id }: Change, group: Group) => ({
  kind,
  actor,
  object_type: 'group',
  object_id: group.group_id,
  detail: {
    group_name: group.group_name,
    identity_id,
    email,
    expires_at: null,
    sign_in_provider_id: provider_id,
  },
})

/**
 * Notes that a claim gives these groups, and adds whoever is no member yet. What somebody made by hand stays what it
 * is: it gets no row here, and no claim takes it away.
 */
async function give(tx: Tx, change: Change, group_ids: readonly string[]): Promise<void> {
  const { provider_id, identity_id } = change
  const joined = await rows<Group>(tx`
    with joined as (
      insert into memberships (group_id, identity_id)
      select id, ${identity_id}::uuid from groups where id = any (${[...group_ids]}::uuid[]) and kind = 'standing'
      on conflict (group_id, identity_id) do update set expires_at = null, joined_at = clock_timestamp()
        where memberships.expires_at <= clock_timestamp()
      returning group_id
    ) select j.group_id, g.name as group_name from joined j join groups g on g.id = j.group_id order by 1`)
  const fresh = joined.map(({ group_id }) => group_id)
  await tx`insert into sign_in_memberships (provider_id, group_id, identity_id)
    select distinct ${provider_id}::uuid, g, ${identity_id}::uuid from unnest(${[...group_ids]}::uuid[]) g
    where g = any (${fresh}::uuid[])
      or exists (select from sign_in_memberships s where s.identity_id = ${identity_id} and s.group_id = g)
    on conflict do nothing`
  for (const group of joined) await appendAudit(tx, audited('membership.added', change, group))
}

type Place = { group_id: string; identity_id: string }

/** Whether a membership lasts as long as a claim says so. */
export async function isGivenByClaim(tx: Tx, { group_id, identity_id }: Place): Promise<boolean> {
  const given = await findRow(tx`
    select 1 from sign_in_memberships where group_id = ${group_id} and identity_id = ${identity_id} limit 1`)
  return given !== undefined
}

/** Somebody made a membership by hand, or made it theirs: from now on no claim takes it away. */
export async function keepByHand(tx: Tx, { group_id, identity_id }: Place): Promise<void> {
  await tx`delete from sign_in_memberships where group_id = ${group_id} and identity_id = ${identity_id}`
}

type Given = Group & { identity_id: string; email: string }

/** Takes back what a provider gave, where no other one gives it too. */
async function takeBack(
  tx: Tx,
  { provider_id, actor }: Pick<Change, 'provider_id' | 'actor'>,
  given: Given[],
) {
  for (const { identity_id, email, ...group } of given) {
    await tx`delete from sign_in_memberships
      where provider_id = ${provider_id} and identity_id = ${identity_id} and group_id = ${group.group_id}`
    const ended = await rows(tx`
      delete from memberships m where m.group_id = ${group.group_id} and m.identity_id = ${identity_id}
        and not exists (select from sign_in_memberships s
                        where s.group_id = m.group_id and s.identity_id = m.identity_id)
      returning m.group_id`)
    if (ended.length === 0) continue
    await appendAudit(tx, audited('membership.removed', { provider_id, actor, identity_id, email }, group))
  }
}

const listGiven = (tx: Tx, provider_id: string): Promise<Given[]> =>
  rows<Given>(tx`
    select s.group_id, g.name as group_name, s.identity_id, i.email
    from sign_in_memberships s join groups g on g.id = s.group_id join identities i on i.id = s.identity_id
    where s.provider_id = ${provider_id} order by s.identity_id, s.group_id`)

type Sync = { provider_id: string; person: { id: string; email: string }; group_ids: readonly string[] }

/** Makes what a provider's claim gives somebody what it says now. Belongs into a transaction of `keepingAnAdmin`. */
export async function syncMemberships(tx: Tx, { provider_id, person, group_ids }: Sync): Promise<void> {
  const change = { provider_id, actor: nobody, identity_id: person.id, email: person.email }
  const given = (await listGiven(tx, provider_id)).filter(({ identity_id }) => identity_id === person.id)
  await takeBack(
    tx,
    change,
    given.filter(({ group_id }) => !group_ids.includes(group_id)),
  )
  await give(tx, change, group_ids)
}

/** Takes back all that a provider gave. */
export async function endMemberships(tx: Tx, from: { provider_id: string; actor: Actor }): Promise<void> {
  await takeBack(tx, from, await listGiven(tx, from.provider_id))
}
