import { randomUUIDv7 } from 'node:crypto'

import type { Context, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

import { leaseSeconds, releaseKey, renewKey, reserveKey, storeAnswer } from '../db/idempotency.ts'
import { DomainError } from '../domain/errors.ts'
import { assertMayReplay } from './replay-rights.ts'
import { isRead } from './router.ts'
import type { Env } from './router.ts'

const replayedHeaders = ['content-type', 'location', 'etag']

/** Refusals that a later attempt may not meet: they are not kept. */
const passing = new Set([400, 401, 408, 412, 413, 415, 429])

async function fingerprintOf(c: Context<Env>): Promise<string> {
  const parts = [c.req.method, c.req.path, c.req.header('if-match') ?? '', await c.req.text()]
  return c.get('deps').sealer.digest(JSON.stringify(parts))
}

function readKey(c: Context<Env>): string | undefined {
  const key = c.req.header('idempotency-key')
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new DomainError('invalid_request', 'An Idempotency-Key is 1 to 255 visible ASCII characters.', {
    errors: [{ pointer: '/idempotency-key', detail: 'must be 1 to 255 visible ASCII characters' }],
  })
}

async function keepAnswer(c: Context<Env>, attempt: { caller_id: string; key: string; fingerprint: string }) {
  const { sql } = c.get('deps')
  const { status } = c.res
  const isSecret = c.res.headers.get('cache-control') === 'no-store'
  const isProgress = c.res.headers.has('retry-after')
  if (status >= 500 || passing.has(status) || isSecret || isProgress) return releaseKey(sql, attempt)
  const headers = replayedHeaders.flatMap((name) => {
    const value = c.res.headers.get(name)
    return value === null ? [] : [[name, value]]
  })
  const needed = c.get('needed')
  return storeAnswer(sql, attempt, {
    permissions: needed === undefined ? [] : [needed],
    status,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: await c.res.clone().text(),
  })
}

/**
 * A write under an Idempotency-Key happens once: a repeat gets the first answer, and a repeat of a call whose answer
 * was lost goes on as the same operation. A key belongs to its caller, route and body for 24 hours; whoever may no longer
 * be told the first answer is refused.
 */
export const idempotent: MiddlewareHandler<Env> = async (c, next) => {
  const key = isRead(c.req.method) ? undefined : readKey(c)
  if (key === undefined) {
    c.set('operation_id', randomUUIDv7())
    return next()
  }
  const attempt = { caller_id: c.get('caller').id, key, fingerprint: await fingerprintOf(c) }
  const { operation_id, answer } = await reserveKey(c.get('deps').sql, attempt)
  if (answer) {
    await assertMayReplay(c, answer)
    const headers = { ...answer.headers, 'idempotency-replayed': 'true' }
    if (answer.status === 204) return c.body(null, 204, headers)
    return c.body(answer.body, answer.status as ContentfulStatusCode, headers)
  }
  c.set('operation_id', operation_id)
  const { sql } = c.get('deps')
  const renewal = setInterval(
    () => void renewKey(sql, attempt).catch(() => undefined),
    (leaseSeconds / 3) * 1_000,
  )
  await next()
  clearInterval(renewal)
  await keepAnswer(c, attempt)
  return undefined
}
