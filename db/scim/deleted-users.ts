import { IdentityInput } from '../../domain/directory.ts'
import type { ScimUserInput } from '../../domain/scim.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, rows } from '../client.ts'
import type { Tx } from '../client.ts'
import { assertNotDisabledByHand } from '../directory/hand.ts'
import { changeIdentity, insertIdentity } from '../directory/identities.ts'
import { removeMembership } from '../directory/memberships.ts'

/** What a provider says of a person that an identity has. */
export const asPatch = ({ user_name, display_name, is_active }: ScimUserInput) => ({
  email: user_name,
  display_name,
  status: is_active ? ('active' as const) : ('disabled' as const),
})

type Deleted = { id: string; external_id: string | null; is_active: boolean }

const findDeleted = (tx: Tx, { user_name }: ScimUserInput) =>
  findRow<Deleted>(tx`
    select i.id, u.external_id, i.status = 'active' as is_active from identities i join scim_users u on u.identity_id = i.id
    where lower(i.email) = lower(${user_name}) and i.kind = 'human' and u.deleted_at is not null`)

/** Takes somebody out of the groups whose people the provider keeps. */
export async function leaveGroups(tx: Tx, identity_id: string, actor: Actor): Promise<void> {
  const groups = await rows<{ group_id: string }>(tx`
    select m.group_id from memberships m join scim_groups s on s.group_id = m.group_id
    where m.identity_id = ${identity_id} and (m.expires_at is null or m.expires_at > clock_timestamp())
    order by m.group_id`)
  for (const { group_id } of groups)
    await removeMembership(tx, { group_id, identity_id, actor, precondition: undefined })
}

/** The account that the provider deleted may be gone where people sign in, too: the next one is linked by its address. */
async function unlinkSignIn(tx: Tx, identity_id: string, actor: Actor): Promise<void> {
  const gone = await rows<{ sign_in_provider_id: string; subject: string }>(tx`
    delete from sign_in_subjects where identity_id = ${identity_id}
    returning provider_id as sign_in_provider_id, subject`)
  for (const detail of gone) {
    const object = { object_type: 'identity', object_id: identity_id }
    await appendAudit(tx, { kind: 'identity.sign_in_unlinked', actor, ...object, detail })
  }
}

/** Whoever put them into a group while they were being deleted did not know. */
async function revive(tx: Tx, id: string, { input, actor }: Create): Promise<void> {
  if (input.is_active) await assertNotDisabledByHand(tx, id)
  await leaveGroups(tx, id, actor)
  await unlinkSignIn(tx, id, actor)
  await changeIdentity(tx, { id, patch: asPatch(input), actor, precondition: undefined })
}

/**
 * An address that a provider has deleted with its person is free for another one; what the person did stays theirs.
 * Whom an admin has enabled since has it still.
 */
async function releaseAddress(tx: Tx, { id, is_active }: Deleted, actor: Actor): Promise<void> {
  if (is_active) return
  await assertNotDisabledByHand(tx, id)
  const patch = { email: `${id}@deleted.invalid` }
  await changeIdentity(tx, { id, patch, actor, precondition: undefined })
}

/** As it is to be given to somebody who is there. @throws DisabledByHand */
export async function releaseAddressOf(tx: Tx, input: ScimUserInput, actor: Actor): Promise<void> {
  const gone = await findDeleted(tx, input)
  if (gone !== undefined) await releaseAddress(tx, gone, actor)
}

/** A provider never gives two people the same `externalId`: where it says so, there are two. */
const isSomebodyElse = ({ external_id }: Deleted, input: ScimUserInput): boolean =>
  external_id !== null && input.external_id !== null && external_id !== input.external_id

export type Create = { id: string; input: ScimUserInput; actor: Actor }

/**
 * Identities are never deleted: one that the provider has deleted, and makes again, is the same one. Returns its id.
 * @throws DisabledByHand, DomainError `forbidden`
 */
export async function createOrRevive(tx: Tx, create: Create): Promise<string> {
  const { id, input, actor } = create
  const known = await findDeleted(tx, input)
  if (known !== undefined && !isSomebodyElse(known, input)) {
    await revive(tx, known.id, create)
    return known.id
  }
  if (known !== undefined) await releaseAddress(tx, known, actor)
  await insertIdentity(tx, { id, input: IdentityInput.parse(asPatch(input)), actor })
  return id
}
