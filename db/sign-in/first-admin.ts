import { randomUUIDv7 } from 'node:crypto'

import { IdentityInput } from '../../domain/directory.ts'
import { DomainError } from '../../domain/errors.ts'
import type { LinkSignIn } from '../../domain/sign-in.ts'
import { appendAudit } from '../audit.ts'
import { findRow } from '../client.ts'
import type { Tx } from '../client.ts'
import { assertIdentity } from '../directory/identity-rules.ts'
import { findPerson } from './sessions.ts'
import type { Person } from './sessions.ts'

const groupName = 'admins'

/** @throws DomainError `invalid_request` */
function readPerson({ email, display_name }: LinkSignIn): IdentityInput {
  if (email !== undefined && display_name !== undefined) return IdentityInput.parse({ email, display_name })
  const pointer = email === undefined ? '/email' : '/display_name'
  throw new DomainError('invalid_request', 'The first admin says who they are: email and display_name.', {
    errors: [{ pointer, detail: 'is required' }],
  })
}

async function createPerson(tx: Tx, input: IdentityInput): Promise<Person> {
  const person = { id: randomUUIDv7(), email: input.email }
  await assertIdentity(tx, { ...input, ...person })
  const { display_name } = input
  await tx`insert into identities ${tx({ ...person, kind: 'human', display_name })}`
  await appendAudit(tx, {
    kind: 'identity.created',
    actor: person,
    object_type: 'identity',
    object_id: person.id,
    detail: { ...person, display_name, kind: 'human' },
  })
  return person
}

/** A group of admins that is there and empty, or a new one: never one that others already belong to. */
async function provideGroup(tx: Tx, actor: Person): Promise<{ id: string; name: string }> {
  const empty = await findRow<{ id: string; name: string }>(tx`
    select id, name from groups g
    where kind = 'standing' and expires_at is null and 'access_requests.manage' = any (permissions)
      and not exists (select from memberships m where m.group_id = g.id)
    order by id limit 1`)
  if (empty) return empty
  const id = randomUUIDv7()
  const taken = await findRow(tx`select 1 from groups where lower(name) = ${groupName}`)
  const group = {
    id,
    name: taken ? `${groupName} ${id}` : groupName,
    permissions: ['access_requests.manage'],
  }
  await tx`insert into groups ${tx(group)}`
  const object = { object_type: 'group', object_id: id }
  await appendAudit(tx, { kind: 'group.created', actor, ...object, detail: group })
  return group
}

/**
 * Whoever came by the link becomes an admin: a new person, or the active one of that address.
 * @throws DomainError `invalid_request`
 */
export async function makeFirstAdmin(tx: Tx, input: LinkSignIn): Promise<Person> {
  const wanted = readPerson(input)
  const person = (await findPerson(tx, wanted.email)) ?? (await createPerson(tx, wanted))
  const group = await provideGroup(tx, person)
  await tx`insert into memberships ${tx({ group_id: group.id, identity_id: person.id })}`
  await appendAudit(tx, {
    kind: 'membership.added',
    actor: person,
    object_type: 'group',
    object_id: group.id,
    detail: { group_name: group.name, identity_id: person.id, email: person.email, expires_at: null },
  })
  return person
}
