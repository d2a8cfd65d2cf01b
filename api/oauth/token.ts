import type { Context } from 'hono'

import { isOutage } from '../../db/client.ts'
import { noteUse } from '../../db/oauth/client-access.ts'
import { verifyProof } from '../credentials/dpop-proof.ts'
import type { Deps } from '../deps.ts'
import type { TokenLimiter } from '../limit-tokens.ts'
import { mintToken } from '../mint.ts'
import type { Env } from '../router.ts'
import { accessOf, authenticateClient } from './authenticate-client.ts'
import type { Authenticated } from './authenticate-client.ts'
import { assertLasts, issuedTokenType, verifySubjectToken } from './exchange.ts'
import { getParameter, readForm } from './form.ts'
import type { Form } from './form.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { OAuthError, slowDown } from './oauth-error.ts'
import { recordRefusal } from './record-refusal.ts'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

export const grantTypes = ['client_credentials', exchange] as const
type GrantType = (typeof grantTypes)[number]

const invalid = (message: string, reason: string) => new OAuthError('invalid_request', message, { reason })

function readGrantType(form: Form): GrantType {
  const named = getParameter(form, 'grant_type')
  const known = grantTypes.find((type) => type === named)
  if (known === undefined)
    throw new OAuthError('unsupported_grant_type', 'This grant type is not known here.')
  return known
}

/** The application by its slug; without one the product's own API. */
function readResource(form: Form): string | undefined {
  if (form.has('audience'))
    throw new OAuthError('invalid_target', 'Name the application by the parameter resource.', {
      reason: 'audience',
    })
  if (form.has('scope'))
    throw new OAuthError('invalid_scope', 'There are no scopes: a token says all that is held now.')
  const slug = form.get('resource')
  if (slug === undefined || /^[a-z0-9-]{1,100}$/.test(slug)) return slug
  throw unknownTarget()
}

const unknownTarget = (client_id?: string) =>
  new OAuthError('invalid_target', 'There is no such application: resource is its slug.', {
    reason: 'unknown_resource',
    ...(client_id !== undefined && { client_id }),
  })

type Asking = {
  form: Form
  authorization: string | undefined
  grant_type: GrantType
  slug: string | undefined
}

async function authenticate(deps: Deps, issuerKeys: IssuerKeys, asking: Asking): Promise<Authenticated> {
  const { form, authorization, grant_type, slug } = asking
  if (grant_type === 'client_credentials') return authenticateClient(deps, { form, authorization }, slug)
  if (authorization !== undefined || form.has('client_secret') || form.has('client_assertion'))
    throw invalid('The subject token says who the client is: show nothing besides.', 'two_methods')
  const authenticated = await accessOf(deps, await verifySubjectToken(deps, issuerKeys, form), slug)
  assertLasts(authenticated)
  return authenticated
}

/** The thumbprint of the key that the token is to be bound to; undefined without a proof. */
async function readBinding(c: Context<Env>, client_id: string): Promise<string | undefined> {
  const proof = c.req.header('dpop')
  if (proof === undefined) return undefined
  const { sql, signer } = c.get('deps')
  const proven = { method: 'POST', url: `${signer.issuer}/oauth/token` }
  return verifyProof(sql, proof, proven).catch((error: unknown) => {
    if (isOutage(error)) throw error
    throw new OAuthError('invalid_dpop_proof', 'The proof is not valid for this request.', { client_id })
  })
}

async function issue(c: Context<Env>, asking: Asking, { access, credential, ends_at }: Authenticated) {
  const deps = c.get('deps')
  const client_id = access.identity_id
  if (asking.slug !== undefined && access.app_id === null) throw unknownTarget(client_id)
  const jkt = await readBinding(c, client_id)
  const cnf = jkt !== undefined && { cnf: { jkt } }
  const detail = { client_id, credential_id: credential.id, grant_type: asking.grant_type, ...cnf }
  const minted = await mintToken(deps, { access, claims: { client_id, ...cnf }, detail, ends_at })
  if (!credential.is_noted) await noteUse(deps.sql, credential.id, access.at)
  return { ...minted, token_type: jkt === undefined ? 'Bearer' : 'DPoP' }
}

async function answer(
  c: Context<Env>,
  form: Form,
  issuerKeys: IssuerKeys,
  limiter: TokenLimiter,
): Promise<Response> {
  const asking = {
    form,
    authorization: c.req.header('authorization'),
    grant_type: readGrantType(form),
    slug: readResource(form),
  }
  const authenticated = await authenticate(c.get('deps'), issuerKeys, asking)
  const client_id = authenticated.access.identity_id
  const wait = await limiter.takeForClient(client_id)
  if (wait !== undefined) throw slowDown(wait, client_id)
  const token = await issue(c, asking, authenticated)
  return c.json(asking.grant_type === exchange ? { ...token, issued_token_type: issuedTokenType } : token)
}

/** The token endpoint (RFC 6749, RFC 7523, RFC 8693, RFC 9449). Whatever is refused is on record too. */
export const tokenEndpoint = (issuerKeys: IssuerKeys, limiter: TokenLimiter) => async (c: Context<Env>) => {
  let grant_type = 'none'
  try {
    const form = await readForm(c)
    grant_type = grantTypes.find((type) => type === form.get('grant_type')) ?? 'other'
    return await answer(c, form, issuerKeys, limiter)
  } catch (error) {
    await recordRefusal(c, limiter, { error, grant_type })
    throw error
  }
}
