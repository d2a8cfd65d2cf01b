import type { Actor } from '../audit.ts'
import { rows } from '../client.ts'
import type { Tx } from '../client.ts'
import { endCredentialsOf } from '../sign-in/sessions.ts'
import { lockRequest, transition } from '../transition.ts'
import type { LockedRequest } from '../transition.ts'

type Leaver = { identity_id: string; actor: Actor; reason: 'identity_disabled' | 'identity_expired' }

const isTheirs = ({ status, requester_id, subject_id }: LockedRequest, id: string): boolean =>
  (status === 'pending' && requester_id === id) ||
  (['pending', 'approved'].includes(status) && subject_id === id)

/**
 * Revokes what an identity that may no longer act has asked for or been given, and ends all that it could show: its
 * sessions, personal access tokens and links. Requests are locked in the order of
 * their ids, each is looked at again once it is held; the identity's row is locked before with `for no key update`,
 * which an approval under way does not wait for.
 */
export async function revokeRequestsOf(tx: Tx, { identity_id, actor, reason }: Leaver): Promise<void> {
  await endCredentialsOf(tx, identity_id)
  const open = await rows<{ id: string }>(tx`
    select id from access_requests
    where status in ('pending', 'approved') and ${identity_id} in (requester_id, subject_id) order by id`)
  for (const { id } of open) {
    const request = await lockRequest(tx, id)
    if (request === undefined || !isTheirs(request, identity_id)) continue
    await transition(tx, request, { event: 'revoked', actor, comment: null, reason })
  }
}
