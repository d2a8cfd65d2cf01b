import type { Permission } from '../../domain/directory.ts'
import type { Session } from '../../domain/session.ts'
import { findRow } from '../client.ts'
import type { Db } from '../client.ts'

/** An active identity that makes a call, with the permissions that it holds through its groups now. */
export type Caller = {
  id: string
  kind: 'human' | 'service_account' | 'workload' | 'agent'
  email: string
  display_name: string
  permissions: Permission[]
}

/** Of what was shown: all that can end it. */
type Shown = Pick<Session, 'expires_at' | 'jti' | 'personal_access_token_id' | 'session_id'>

/**
 * Undefined: no such identity, or disabled, or expired; or what was shown was revoked or removed, or has ended, by the
 * database's clock, whatever that of this process says.
 */
export function findCaller(db: Db, id: string, shown?: Shown): Promise<Caller | undefined> {
  const { expires_at = null, jti = null, personal_access_token_id = null, session_id = null } = shown ?? {}
  return findRow<Caller>(db`
    select i.id, i.kind, i.email, i.display_name,
      array(select distinct p from active_groups(i.id, clock_timestamp()) g, unnest(g.permissions) p) as permissions
    from identities i
    where i.id = ${id} and i.status = 'active' and (i.expires_at is null or i.expires_at > clock_timestamp())
      and coalesce(${expires_at}::timestamptz > clock_timestamp(), true)
      and not exists (select from revoked_tokens r where r.jti = ${jti}::uuid)
      and (${personal_access_token_id}::uuid is null
        or exists (select from personal_access_tokens t where t.id = ${personal_access_token_id}))
      and (${session_id}::uuid is null or exists (select from sessions s where s.id = ${session_id}))`)
}

/** Whether these permissions hold one, or imply it. */
export const implies = (held: readonly Permission[], permission: Permission): boolean =>
  held.includes('access_requests.manage') || held.includes(permission)

export const holds = (caller: Caller, permission: Permission): boolean =>
  implies(caller.permissions, permission)

export const mayManage = (caller: Caller): boolean => holds(caller, 'access_requests.manage')
