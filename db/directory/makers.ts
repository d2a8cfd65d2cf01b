import type { Identity } from '../../domain/directory.ts'
import type { Actor } from '../audit.ts'
import { isSame } from '../changes.ts'
import { rows } from '../client.ts'
import type { Tx } from '../client.ts'

type Made = { id: string; actor: Actor }

/**
 * Whoever makes a person, or sets the address that they sign in by, may be able to sign in as them: neither decides for
 * the other. Identity providers and the product itself stand for nobody.
 */
export async function noteMaker(tx: Tx, { id, actor }: Made): Promise<void> {
  if (actor.id === null) return
  await tx`select note_makers(${id}, ${actor.id})`
}

/** Whose requests are decided by others once this person has been made by this actor: theirs, and the makers'. */
export async function listConcerned(tx: Tx, { id, actor }: Made): Promise<string[]> {
  if (actor.id === null) return [id]
  const found = await rows<{ id: string }>(tx`select b.id from makers_by(${actor.id}) b (id)`)
  return [id, ...found.map((maker) => maker.id)]
}

/** Whether a person comes to sign in by what somebody else has set. */
export const isMade = (before: Identity, { id, kind, email }: Identity, actor: Actor): boolean =>
  kind === 'human' && actor.id !== null && actor.id !== id && !isSame(before, { kind, email })
