import { randomUUIDv7 } from 'node:crypto'

import { DomainError } from '../../domain/errors.ts'
import { SignInRefused } from '../../domain/sign-in.ts'
import type { SignInProvider } from '../../domain/sign-in-provider.ts'
import { appendAudit, nobody } from '../audit.ts'
import { findRow, getRow, transaction } from '../client.ts'
import type { Sql, Tx } from '../client.ts'
import { keepingAnAdmin } from '../directory/active-admins.ts'
import { syncMemberships } from './memberships.ts'
import { holdProvider } from './providers.ts'
import { beginSession, endCredentialsOf } from './sessions.ts'
import type { Person } from './sessions.ts'

/** What a provider says of somebody. `email` is one that it has verified, in ASCII; null: it vouches for none. */
export type Vouched = { subject: string; email: string | null; display_name: string; group_values: string[] }

type Known = { id: string; is_person: boolean; is_active: boolean; has_other_subject: boolean }

const findKnown = (tx: Tx, provider_id: string, email: string): Promise<Known | undefined> =>
  findRow<Known>(tx`
    select i.id, i.kind = 'human' as is_person,
      i.status = 'active' and (i.expires_at is null or i.expires_at > clock_timestamp()) as is_active,
      exists (select from sign_in_subjects s where s.provider_id = ${provider_id} and s.identity_id = i.id)
        as has_other_subject
    from identities i where lower(i.email) = lower(${email})`)

/** An address belongs to whoever has it today: a person whom the provider knows by another subject is another person. */
function assertMayLink({ is_person, is_active, has_other_subject }: Known): void {
  if (!is_person || has_other_subject) throw new SignInRefused('email_taken')
  if (!is_active) throw new SignInRefused('inactive')
}

/** @throws SignInRefused where the provider does not speak for that address */
function assertSpeaksFor({ allowed_email_domains }: SignInProvider, email: string): void {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
  if (allowed_email_domains.length === 0 || allowed_email_domains.includes(domain)) return
  throw new SignInRefused('email_domain_not_allowed')
}

async function createPerson(
  tx: Tx,
  provider: SignInProvider,
  person: { email: string; display_name: string },
) {
  if (!provider.create_identities || provider.allowed_email_domains.length === 0)
    throw new SignInRefused('not_registered')
  const created = { id: randomUUIDv7(), kind: 'human', ...person }
  await tx`insert into identities ${tx(created)}`
  await appendAudit(tx, {
    kind: 'identity.created',
    actor: nobody,
    object_type: 'identity',
    object_id: created.id,
    detail: { ...created, sign_in_provider_id: provider.id },
  })
  return created.id
}

async function linkByEmail(tx: Tx, provider: SignInProvider, vouched: Vouched): Promise<string> {
  const { subject, email, display_name } = vouched
  if (email === null) throw new SignInRefused('email_not_verified')
  assertSpeaksFor(provider, email)
  const known = await findKnown(tx, provider.id, email)
  if (known !== undefined) {
    assertMayLink(known)
    // Whoever used this identity before its address was vouched for may be somebody else.
    await endCredentialsOf(tx, known.id)
  }
  const identity_id = known?.id ?? (await createPerson(tx, provider, { email, display_name }))
  await tx`insert into sign_in_subjects ${tx({ provider_id: provider.id, subject, identity_id })}`
  return identity_id
}

async function findBySubject(tx: Tx, provider_id: string, subject: string): Promise<string | undefined> {
  const known = await findRow<{ identity_id: string }>(tx`
    update sign_in_subjects set last_used_at = clock_timestamp()
    where provider_id = ${provider_id} and subject = ${subject} returning identity_id`)
  return known?.identity_id
}

type Arrival = { provider_id: string; vouched: Vouched; replaced: string | undefined }

async function admit(tx: Tx, { provider_id, vouched, replaced }: Arrival): Promise<string> {
  const provider = await holdProvider(tx, provider_id)
  if (provider === undefined) throw new SignInRefused('provider_unavailable')
  const id =
    (await findBySubject(tx, provider_id, vouched.subject)) ?? (await linkByEmail(tx, provider, vouched))
  const person = await getRow<Person>(tx`select id, email from identities where id = ${id}`)
  const detail = { sign_in_provider_id: provider_id, subject: vouched.subject }
  const token = await beginSession(tx, person, { method: 'oidc', provider_id, detail, replaced })
  const mapped = provider.group_mappings.filter(({ value }) => vouched.group_values.includes(value))
  await syncMemberships(tx, { provider_id, person, group_ids: mapped.map(({ group_id }) => group_id) })
  return token
}

/**
 * Lets in whom a provider vouches for: known by its subject, else by an address that it has verified, else created
 * where that is allowed. One after another, so that nobody is created twice.
 * @returns the token of the session
 * @throws SignInRefused
 */
export async function admitPerson(sql: Sql, arrival: Arrival): Promise<string> {
  try {
    return await keepingAnAdmin(sql, nobody, (tx) => admit(tx, arrival))
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    throw new SignInRefused(error.code === 'last_admin' ? 'last_admin' : 'inactive')
  }
}

type Refusal = { provider_id: string; reason: string; subject?: string; email?: string }

/** Refusals of whoever came back from a provider are kept; the transaction that refused is gone. */
export function auditRefusal(sql: Sql, { provider_id, ...detail }: Refusal): Promise<void> {
  return transaction(sql, (tx) =>
    appendAudit(tx, {
      kind: 'sign_in.refused',
      actor: nobody,
      object_type: 'sign_in_provider',
      object_id: provider_id,
      detail,
    }),
  )
}
