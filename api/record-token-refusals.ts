import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'

import { appendAudit, nobody } from '../db/audit.ts'
import { transaction } from '../db/client.ts'
import { findApplication } from '../db/directory/applications.ts'
import type { Caller } from '../db/directory/caller.ts'
import { DomainError } from '../domain/errors.ts'
import type { Session } from '../domain/session.ts'
import type { TokenLimiter } from './limit-tokens.ts'
import { statusOf } from './problem.ts'
import type { Env } from './router.ts'

/** Whose credential was good, and who may act: each is known from its place in the chain on. */
type Known = { session: Session | undefined; caller: Caller | undefined }

const knownOf = (c: Context<Env>): Known => ({ session: c.get('session'), caller: c.get('caller') })

function reasonOf({ code }: DomainError, { session, caller }: Known): string {
  if (code !== 'unauthenticated') return code
  if (session === undefined) return 'no_valid_credential'
  return caller === undefined ? 'inactive_or_revoked' : 'credential_ends'
}

async function record(c: Context<Env>, error: DomainError, named: string | undefined): Promise<void> {
  const known = knownOf(c)
  const caller_id = known.session?.caller_id
  await transaction(c.get('deps').sql, async (tx) => {
    // Whoever shows no good credential is not told, by the time that it takes, what there is.
    const id = known.caller && z.uuid().safeParse(named).data
    const app = id === undefined ? undefined : await findApplication(tx, id)
    await appendAudit(tx, {
      kind: 'token.refused',
      actor: known.caller ?? nobody,
      ...(caller_id !== undefined && { object_type: 'identity', object_id: caller_id }),
      detail: {
        endpoint: 'application',
        app_id: app?.resource.id ?? null,
        error: error.code,
        reason: reasonOf(error, known),
      },
    })
  })
}

const refuseAddress = (seconds: number) =>
  new DomainError('rate_limited', `Too many calls; wait ${seconds} s.`, { retry_after: seconds })

/**
 * Stands before authentication where people and machines get tokens for applications: bounds the calls of an address
 * as `/oauth` does, and puts on record what was refused; that somebody has to wait, once a minute.
 */
export const recordTokenRefusals =
  (limiter: TokenLimiter): MiddlewareHandler<Env> =>
  async (c, next) => {
    const named = c.req.param('id')
    const wait = await limiter.takeForAddress(c)
    if (wait === undefined) await next()
    const error = wait === undefined ? c.error : refuseAddress(wait)
    if (!(error instanceof DomainError) || statusOf(error.code) >= 500) return
    // A write that a browser was made to send for another page: it is refused before anything of it is looked at.
    if (error.code === 'forbidden' && knownOf(c).session === undefined) return
    const isTold = error.code !== 'rate_limited'
    if (isTold) await limiter.chargeFailure(c)
    if (isTold || (await limiter.isWorthALine(c, knownOf(c).session?.caller_id)))
      await record(c, error, named)
    if (wait !== undefined) throw error
  }
