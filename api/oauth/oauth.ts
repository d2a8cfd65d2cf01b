import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'

import { isOutage } from '../../db/client.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Deps } from '../deps.ts'
import type { TokenLimiter } from '../limit-tokens.ts'
import type { Env } from '../router.ts'
import { introspectionEndpoint } from './introspect.ts'
import { createIssuerKeys } from './issuer-keys.ts'
import { metadataOf } from './metadata.ts'
import { OAuthError, sendOAuthError, slowDown } from './oauth-error.ts'
import { recordRefusal } from './record-refusal.ts'
import { revocationEndpoint } from './revoke.ts'
import { tokenEndpoint } from './token.ts'

/** What leaves these endpoints as an error is in the words of RFC 6749, whoever threw it. */
function asOAuthError(error: Error): OAuthError | undefined {
  if (error instanceof OAuthError) return error
  if (isOutage(error) || (error instanceof DomainError && error.code === 'unavailable'))
    return new OAuthError('temporarily_unavailable', 'This cannot be answered now; try again shortly.')
  return undefined
}

function onError(error: Error, c: Context<Env>): Response {
  const refusal = asOAuthError(error)
  if (refusal === undefined || (refusal !== error && refusal.status === 503))
    c.get('deps').logError(`${c.req.method} ${c.req.path} failed`, error)
  return sendOAuthError(
    c,
    refusal ?? new OAuthError('server_error', 'Something went wrong on our side; it has been logged.'),
  )
}

/** Bounds the calls of an address; what was refused costs more, and that it has to slow down is on record. */
export const limitAddresses =
  (limiter: TokenLimiter): MiddlewareHandler<Env> =>
  async (c, next) => {
    const wait = await limiter.takeForAddress(c)
    if (wait !== undefined) {
      const error = slowDown(wait)
      await recordRefusal(c, limiter, { error })
      throw error
    }
    await next()
    const { status } = c.res
    const isRefused = c.error instanceof OAuthError || (status >= 400 && status < 500)
    if (isRefused && status !== 429) await limiter.chargeFailure(c)
  }

const refuseMethod = () => {
  throw new OAuthError('invalid_request', 'Send the parameters by POST.', { status: 405 })
}

/** Tokens for machines, below `/oauth`. */
export function oauth(deps: Deps, limiter: TokenLimiter): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>()
  const endpoints = {
    '/token': tokenEndpoint(createIssuerKeys(deps), limiter),
    '/introspect': introspectionEndpoint(limiter),
    '/revoke': revocationEndpoint(limiter),
  }
  app.onError(onError)
  app.use(async (c, next) => {
    c.header('cache-control', 'no-store')
    await next()
  })
  app.use(limitAddresses(limiter))
  for (const [path, endpoint] of Object.entries(endpoints)) app.post(path, endpoint).all(path, refuseMethod)
  return app
}

/** Where a client begins: who the issuer is, and where its endpoints are. */
export function discovery(app: OpenAPIHono<Env>): void {
  app.get('/.well-known/oauth-authorization-server', (c) => c.json(metadataOf(c.get('deps').signer.issuer)))
}
