import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, transaction } from '../client.ts'
import type { Db, Sql } from '../client.ts'

/** Whether a token was revoked, or has ended by the database's clock. @param exp seconds since 1970 */
export async function isOver(db: Db, { jti, exp }: { jti: string; exp: number }): Promise<boolean> {
  const over = await findRow(db`
    select 1 where to_timestamp(${exp}) <= clock_timestamp()
      or exists (select from revoked_tokens where jti = ${jti})`)
  return over !== undefined
}

/** @param exp seconds since 1970, after which nobody takes the token anyway */
type Revocation = { jti: string; exp: number; sub: string; aud: string; actor: Actor }

/** From when this returns no process takes the token. Twice is once. */
export function revokeToken(sql: Sql, { jti, exp, sub, aud, actor }: Revocation): Promise<void> {
  return transaction(sql, async (tx) => {
    const { count } = await tx`
      insert into revoked_tokens (jti, expires_at) values (${jti}, to_timestamp(${exp})) on conflict do nothing`
    if (count === 0) return
    const detail = { jti, aud, exp }
    await appendAudit(tx, { kind: 'token.revoked', actor, object_type: 'identity', object_id: sub, detail })
  })
}

/** Whether somebody belongs to the group that owns an application. */
export async function ownsApplication(db: Db, identity_id: string, app_id: string): Promise<boolean> {
  const found = await findRow(db`
    select a.id from applications a join active_groups(${identity_id}, clock_timestamp()) g on g.group_id = a.owner_group_id
    where a.id = ${app_id}`)
  return found !== undefined
}
