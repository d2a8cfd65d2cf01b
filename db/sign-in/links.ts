import { randomUUIDv7 } from 'node:crypto'

import { DomainError } from '../../domain/errors.ts'
import type { LinkSignIn } from '../../domain/sign-in.ts'
import { appendAudit, nobody } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, transaction } from '../client.ts'
import type { Sql, Tx } from '../client.ts'
import { lockAdmins } from '../directory/active-admins.ts'
import { createSecretToken, hashOfSecretToken } from '../secret-tokens.ts'
import { refusingTaken } from '../taken.ts'
import { makeFirstAdmin } from './first-admin.ts'
import { beginSession, findPerson } from './sessions.ts'
import type { Person } from './sessions.ts'

const prefix = 'hpl'
const lives = { first_admin: '24 hours', person: '10 minutes' }

const auditLink = (
  tx: Tx,
  verb: 'created' | 'used',
  actor: Actor,
  link: { id: string; email: string | null },
) =>
  appendAudit(tx, {
    kind: `sign_in_link.${verb}`,
    actor,
    object_type: 'sign_in_link',
    object_id: link.id,
    detail: { email: link.email, is_for_first_admin: link.email === null },
  })

async function createLink(tx: Tx, person: Person | null): Promise<string> {
  const { token, hash } = createSecretToken(prefix)
  const id = randomUUIDv7()
  await tx`insert into sign_in_links (id, code_hash, identity_id, expires_at)
    values (${id}, ${hash}, ${person?.id ?? null},
      clock_timestamp() + ${person ? lives.person : lives.first_admin}::interval)`
  await auditLink(tx, 'created', nobody, { id, email: person?.email ?? null })
  return token
}

/** The code of a link by which an active person signs in once, within ten minutes. Undefined: there is no such person. */
export function createPersonLink(sql: Sql, email: string): Promise<string | undefined> {
  return transaction(sql, async (tx) => {
    const person = await findPerson(tx, email)
    return person && createLink(tx, person)
  })
}

/** The code of a link that makes whoever uses it first, within a day, the first admin. Undefined: there is an admin. */
export function createFirstAdminLink(sql: Sql): Promise<string | undefined> {
  return transaction(sql, async (tx) =>
    (await lockAdmins(tx)).isAnyAdmin ? undefined : createLink(tx, null),
  )
}

type Link = { id: string; identity_id: string | null; is_used: boolean; is_over: boolean }
type Reason = 'unknown' | 'used' | 'expired' | 'not_needed'
type Outcome = { token: string } | { refused: Reason; id: string | undefined }

function reasonAgainst(link: Link | undefined, isAnyAdmin: boolean): Reason | undefined {
  if (link === undefined) return 'unknown'
  if (link.is_used) return 'used'
  if (link.is_over) return 'expired'
  return link.identity_id === null && isAnyAdmin ? 'not_needed' : undefined
}

type Use = { input: LinkSignIn; replaced: string | undefined }

const getPerson = (tx: Tx, id: string): Promise<Person> =>
  getRow<Person>(tx`select id, email from identities where id = ${id}`)

/** Links are used one after another: of two that would make the first admin, one does. */
async function take(tx: Tx, hash: Buffer, { input, replaced }: Use): Promise<Outcome> {
  const { isAnyAdmin } = await lockAdmins(tx)
  const link = await findRow<Link>(tx`
    select id, identity_id, used_at is not null as is_used, expires_at <= clock_timestamp() as is_over
    from sign_in_links where code_hash = ${hash} for update`)
  const refused = reasonAgainst(link, isAnyAdmin)
  if (link === undefined || refused !== undefined) return { refused: refused ?? 'unknown', id: link?.id }
  const { id, identity_id } = link
  const person = identity_id === null ? await makeFirstAdmin(tx, input) : await getPerson(tx, identity_id)
  await tx`update sign_in_links set used_at = clock_timestamp() where id = ${id}`
  await auditLink(tx, 'used', person, { id, email: identity_id && person.email })
  const entrance = { method: 'link', detail: { sign_in_link_id: id }, replaced } as const
  return { token: await beginSession(tx, person, entrance) }
}

/** What nobody made is not worth a line of the log, as anybody could write as many as they like. */
function auditRefusal(sql: Sql, reason: Reason, id: string): Promise<void> {
  return transaction(sql, (tx) =>
    appendAudit(tx, {
      kind: 'sign_in.refused',
      actor: nobody,
      object_type: 'sign_in_link',
      object_id: id,
      detail: { reason },
    }),
  )
}

/**
 * Signs in by a link, once.
 * @returns the token of the session
 * @throws DomainError `unauthenticated`; `invalid_request`, `name_taken` for what the first admin says of themselves:
 *   the link can be used again
 */
export async function useLink(sql: Sql, use: Use): Promise<string> {
  const hash = hashOfSecretToken(prefix, use.input.code)
  const outcome: Outcome = hash
    ? await refusingTaken(
        { identities_email: 'email' },
        transaction(sql, (tx) => take(tx, hash, use)),
      )
    : { refused: 'unknown', id: undefined }
  if ('token' in outcome) return outcome.token
  if (outcome.id !== undefined) await auditRefusal(sql, outcome.refused, outcome.id)
  throw new DomainError(
    'unauthenticated',
    'This link is not valid, has been used, or has expired: get another one.',
  )
}
