import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { buildAuthorizationUrl } from 'openid-client'

import { admitPerson, auditRefusal } from '../../db/sign-in/admit.ts'
import type { Vouched } from '../../db/sign-in/admit.ts'
import { beginAttempt, takeAttempt } from '../../db/sign-in/attempts.ts'
import type { Attempt } from '../../db/sign-in/attempts.ts'
import { findEnabledProvider } from '../../db/sign-in/providers.ts'
import type { OpenedProvider } from '../../db/sign-in/providers.ts'
import { randomText } from '../../db/secret-tokens.ts'
import { DomainError } from '../../domain/errors.ts'
import { ReturnTo, SignInRefused } from '../../domain/sign-in.ts'
import { SignInProviderId } from '../../domain/sign-in-provider.ts'
import { router } from '../router.ts'
import type { Env } from '../router.ts'
import { attemptSecretsOf } from './attempt-secrets.ts'
import {
  attemptSeconds,
  clearAttemptCookie,
  findAttemptCookie,
  findSessionCookie,
  setAttemptCookie,
  setSessionCookie,
} from './cookies.ts'
import { createProviderClients } from './provider-client.ts'
import type { FindClient } from './provider-client.ts'
import { asRefusal, readVouched } from './vouched.ts'

const start = createRoute({
  method: 'get',
  path: '/oidc/{provider_id}/start',
  request: {
    params: z.object({ provider_id: SignInProviderId }),
    query: z.object({ return_to: ReturnTo.default('/') }),
  },
  responses: { 302: { description: 'To the provider' } },
})

const callbackOf = (c: Context<Env>): string => `${c.get('deps').sign_in.public_url}/auth/oidc/callback`

/** The words of providers and libraries are for the log; a page is told a code of ours. */
function refuse(c: Context<Env>, { code, cause }: SignInRefused, provider_id: string) {
  const reasons: string[] = []
  for (let error = cause; error instanceof Error; error = error.cause) reasons.push(error.message)
  if (reasons.length > 0)
    c.get('deps').logError(`sign-in by provider ${provider_id} refused, ${code}: ${reasons.join(': ')}`)
  return c.redirect(`/sign-in?error=${code}`, 302)
}

async function sendToProvider(
  c: Context<Env>,
  find: FindClient,
  provider: OpenedProvider,
  return_to: string,
) {
  const { resource } = provider
  const secret = randomText()
  const { state, nonce, code_challenge } = attemptSecretsOf(secret)
  const client = await find(c.get('deps'), provider)
  const location = buildAuthorizationUrl(client, {
    redirect_uri: callbackOf(c),
    scope: resource.scopes.join(' '),
    state,
    nonce,
    code_challenge,
    code_challenge_method: 'S256',
  })
  const attempt = { provider_id: resource.id, return_to, lasts_s: attemptSeconds }
  await beginAttempt(c.get('deps').sql, state, attempt)
  setAttemptCookie(c, secret)
  return c.redirect(location.href, 302)
}

type Return = { attempt: Attempt; find: FindClient }

/** @throws SignInRefused */
async function getVouched(c: Context<Env>, { attempt, find }: Return): Promise<Vouched> {
  const { sql, sealer, sign_in } = c.get('deps')
  const secrets = attemptSecretsOf(findAttemptCookie(c) ?? '')
  if (secrets.state !== c.req.query('state')) throw new SignInRefused('other_browser')
  const provider = await findEnabledProvider(sql, sealer, attempt.provider_id)
  if (provider === undefined) throw new SignInRefused('provider_unavailable')
  const callback = new URL(callbackOf(c))
  callback.search = new URL(c.req.url, sign_in.public_url).search
  const client = await find(c.get('deps'), provider).catch((error: unknown) => {
    throw asRefusal(error)
  })
  return readVouched(client, { callback, secrets, provider: provider.resource })
}

/** Whoever comes back with what was asked for, in the browser that asked, is let in. */
async function finish(c: Context<Env>, { attempt, find }: Return) {
  const { sql } = c.get('deps')
  const { provider_id, return_to } = attempt
  let vouched: Vouched | undefined
  try {
    vouched = await getVouched(c, { attempt, find })
    const token = await admitPerson(sql, { provider_id, vouched, replaced: findSessionCookie(c) })
    setSessionCookie(c, token)
    return c.redirect(return_to, 302)
  } catch (error) {
    if (!(error instanceof SignInRefused)) throw error
    const { subject, email } = vouched ?? {}
    const who = { ...(subject && { subject }), ...(email && { email }) }
    await auditRefusal(sql, { provider_id, reason: error.code, ...who })
    return refuse(c, error, provider_id)
  }
}

/** Signing in at an OpenID Connect provider: authorization code with PKCE, bound to the browser, used once. */
export function createOidcSignIn() {
  const find = createProviderClients()
  return router()
    .openapi(start, async (c) => {
      const { sql, sealer } = c.get('deps')
      const { provider_id } = c.req.valid('param')
      const provider = await findEnabledProvider(sql, sealer, provider_id)
      if (provider === undefined) throw new DomainError('not_found', 'There is no such sign-in provider.')
      try {
        return await sendToProvider(c, find, provider, c.req.valid('query').return_to)
      } catch (error) {
        return refuse(c, asRefusal(error), provider_id)
      }
    })
    .get('/oidc/callback', async (c) => {
      const attempt = await takeAttempt(c.get('deps').sql, c.req.query('state') ?? '')
      clearAttemptCookie(c)
      if (attempt === undefined) return c.redirect('/sign-in?error=expired', 302)
      return finish(c, { attempt, find })
    })
}
