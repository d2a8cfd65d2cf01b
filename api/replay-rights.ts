import type { Context } from 'hono'
import { z } from 'zod'

import type { StoredAnswer } from '../db/idempotency.ts'
import { implies } from '../db/directory/caller.ts'
import { assertMayManageCredentials } from '../db/oauth/credentials.ts'
import { maySee } from '../db/requests/find.ts'
import { DomainError } from '../domain/errors.ts'
import { noRequest } from './request-view.ts'
import type { Env } from './router.ts'

type Check = (c: Context<Env>, id: string) => Promise<void>

async function assertSees(c: Context<Env>, id: string): Promise<void> {
  if (!(await maySee(c.get('deps').sql, { id }, c.get('caller')))) throw noRequest()
}

const assertManages: Check = (c, identity_id) =>
  assertMayManageCredentials(c.get('deps').sql, { identity_id, actor: c.get('caller') })

/** Answers that say more than what their route's permission covers, by where the call went. */
const checks: readonly (readonly [path: RegExp, check: Check])[] = [
  [/^\/api\/v1\/access-requests\/([^/]+)\//, assertSees],
  [/^\/api\/v1\/identities\/([^/]+)\/credentials(?:\/|$)/, assertManages],
]

/**
 * A kept answer is for whoever may be told now, not for whoever might be told then.
 * @throws DomainError `forbidden`, `not_found`
 */
export async function assertMayReplay(c: Context<Env>, { permissions }: StoredAnswer): Promise<void> {
  const held = c.get('caller').permissions
  const lost = permissions.filter((permission) => !implies(held, permission))
  if (lost.length > 0)
    throw new DomainError(
      'forbidden',
      `This call was answered before; to be told the answer needs ${lost.join(', ')}.`,
    )
  for (const [path, check] of checks) {
    const id = z.uuid().safeParse(path.exec(c.req.path)?.[1]).data
    if (id !== undefined) await check(c, id)
  }
}
