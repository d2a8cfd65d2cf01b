import { DomainError } from '../../domain/errors.ts'
import type { SignInProvider, SignInProviderInput } from '../../domain/sign-in-provider.ts'
import type { Actor } from '../audit.ts'
import { appendAudit } from '../audit.ts'
import { edited, isSame, whole } from '../changes.ts'
import { rows } from '../client.ts'
import type { Sql, Tx } from '../client.ts'
import { keepingAnAdmin } from '../directory/active-admins.ts'
import { assertMayGrant } from '../directory/may-grant.ts'
import type { Sealer } from '../sealing.ts'
import { refusingTaken } from '../taken.ts'
import type { Versioned } from '../templates.ts'
import { assertVersion } from '../versions.ts'
import type { Precondition } from '../versions.ts'
import { endMemberships } from './memberships.ts'
import { getProvider, secretPlaceOf } from './providers.ts'

const unique = { sign_in_providers_name: 'name' }

type Save = { id: string; input: SignInProviderInput; actor: Actor }
type Replace = Save & { precondition: Precondition }

function refuse(pointer: string, detail: string): never {
  throw new DomainError('invalid_request', `The provider is not valid: ${pointer.slice(1)} ${detail}.`, {
    errors: [{ pointer, detail }],
  })
}

/** Whoever signs in by it comes into these groups: only who may hand on what they give may say so. */
async function assertMappings(tx: Tx, { input, actor }: Save): Promise<void> {
  const ids = input.group_mappings.map(({ group_id }) => group_id)
  const found = await rows<{ id: string }>(
    tx`select id from groups where id = any (${ids}::uuid[]) and kind = 'standing' order by id for share`,
  )
  const missing = ids.findIndex((id) => !found.some((group) => group.id === id))
  if (missing >= 0) refuse(`/group_mappings/${missing}/group_id`, 'must be a standing group')
  await assertMayGrant(tx, actor, { permissions: ['access_requests.manage'], group_ids: ids })
}

const asRow = (input: SignInProviderInput) => ({
  name: input.name,
  issuer: input.issuer,
  client_id: input.client_id,
  scopes: input.scopes,
  group_claim: input.group_claim,
  create_identities: input.create_identities,
  allowed_email_domains: input.allowed_email_domains,
  enabled: input.enabled,
})

const sealedRow = (sealer: Sealer, { id, input: { client_secret } }: Save) => {
  if (client_secret === undefined) return {}
  if (client_secret === null) return { client_secret: null, client_secret_key_id: null }
  const { value, key_id } = sealer.seal(client_secret, secretPlaceOf(id))
  return { client_secret: value, client_secret_key_id: key_id }
}

async function saveMappings(tx: Tx, { id, input }: Save): Promise<void> {
  await tx`delete from sign_in_group_mappings where provider_id = ${id}`
  for (const { value, group_id } of input.group_mappings)
    await tx`insert into sign_in_group_mappings ${tx({ provider_id: id, value, group_id })}`
}

/** The same id twice is the same creation. @throws DomainError `forbidden`, `invalid_request`, `name_taken` */
export function createProvider(sql: Sql, sealer: Sealer, save: Save): Promise<Versioned<SignInProvider>> {
  const { id, input, actor } = save
  const work = keepingAnAdmin(sql, actor, async (tx) => {
    await assertMappings(tx, save)
    const row = { id, ...asRow(input), ...sealedRow(sealer, save) }
    const inserted = await rows(
      tx`insert into sign_in_providers ${tx(row)} on conflict (id) do nothing returning id`,
    )
    if (inserted.length === 0) return getProvider(tx, id)
    await saveMappings(tx, save)
    const created = await getProvider(tx, id)
    await appendAudit(tx, whole('sign_in_provider.created', actor, created.resource))
    return created
  })
  return refusingTaken(unique, work)
}

/** The subjects that it knows are that issuer's: another one would know other people by them. */
function assertIssuer(before: SignInProvider, input: SignInProviderInput): void {
  if (before.issuer === input.issuer) return
  refuse('/issuer', 'cannot be changed: create another provider')
}

/**
 * Whoever signed in by one that is disabled has no session any more.
 * @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `invalid_request`, `name_taken`
 */
export function replaceProvider(
  sql: Sql,
  sealer: Sealer,
  { precondition, ...save }: Replace,
): Promise<Versioned<SignInProvider>> {
  const { id, input, actor } = save
  const work = keepingAnAdmin(sql, actor, async (tx) => {
    await tx`select from sign_in_providers where id = ${id} for update`
    const before = await getProvider(tx, id)
    assertVersion(precondition, before.version)
    assertIssuer(before.resource, input)
    await assertMappings(tx, save)
    await tx`update sign_in_providers set ${tx({ ...asRow(input), ...sealedRow(sealer, save) })},
      version = version + 1, updated_at = clock_timestamp() where id = ${id}`
    await saveMappings(tx, save)
    if (!input.enabled) await tx`delete from sessions where provider_id = ${id}`
    const after = await getProvider(tx, id)
    const event = edited('sign_in_provider.updated', actor, before.resource, after.resource)
    const has_new_secret = input.client_secret !== undefined
    if (has_new_secret || !isSame(before.resource, after.resource))
      await appendAudit(tx, { ...event, detail: { ...event.detail, has_new_secret } })
    return after
  })
  return refusingTaken(unique, work)
}

type Delete = Omit<Replace, 'input'>

/**
 * The memberships that it gave, and the sessions that began by it, go with it.
 * @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `last_admin`
 */
export function deleteProvider(sql: Sql, { id, actor, precondition }: Delete): Promise<void> {
  return keepingAnAdmin(sql, actor, async (tx) => {
    await tx`select from sign_in_providers where id = ${id} for update`
    const { resource, version } = await getProvider(tx, id)
    assertVersion(precondition, version)
    await assertMayGrant(tx, actor, { permissions: ['access_requests.manage'] })
    await endMemberships(tx, { provider_id: id, actor })
    await tx`delete from sign_in_providers where id = ${id}`
    await appendAudit(tx, whole('sign_in_provider.deleted', actor, resource))
  })
}
