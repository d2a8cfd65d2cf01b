import type { Actor } from '../audit.ts'
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
