import { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'

import { DomainError } from '../domain/errors.ts'
import { createAuth } from './auth/auth.ts'
import { authenticate, identify } from './authenticate.ts'
import { readBody } from './body.ts'
import type { Deps } from './deps.ts'
import { docs, docsPage } from './docs.ts'
import { health } from './health.ts'
import { idempotent } from './idempotency.ts'
import { limitSignIns } from './limit-sign-ins.ts'
import { createTokenLimiter } from './limit-tokens.ts'
import type { TokenLimiter } from './limit-tokens.ts'
import { discovery, oauth } from './oauth/oauth.ts'
import { pages } from './pages.ts'
import { asDomainError, internalError, problem } from './problem.ts'
import { limitCalls } from './rate-limit.ts'
import { recordTokenRefusals } from './record-token-refusals.ts'
import { router } from './router.ts'
import type { Env } from './router.ts'
import { assertScope } from './scopes.ts'
import { accessRequests } from './routes/access-requests.ts'
import { applications } from './routes/applications.ts'
import { catalogue } from './routes/catalogue.ts'
import { credentials } from './routes/credentials.ts'
import { decisions } from './routes/decisions.ts'
import { eligibleApprovers } from './routes/eligible-approvers.ts'
import { groups } from './routes/groups.ts'
import { identities } from './routes/identities.ts'
import { live } from './routes/live.ts'
import { me } from './routes/me.ts'
import { messages } from './routes/messages.ts'
import { personalAccessTokens } from './routes/personal-access-tokens.ts'
import { sandbox } from './routes/sandbox.ts'
import { requestContext } from './routes/request-context.ts'
import { scimSetUp } from './routes/scim.ts'
import { scriptDeliveries } from './routes/script-deliveries.ts'
import { scriptReplays } from './routes/script-replays.ts'
import { scriptTasks } from './routes/script-tasks.ts'
import { scriptTests } from './routes/script-tests.ts'
import { scriptVersions } from './routes/script-versions.ts'
import { secrets } from './routes/secrets.ts'
import { signingKeys } from './routes/signing-keys.ts'
import { signInProviders } from './routes/sign-in-providers.ts'
import { templates } from './routes/templates.ts'
import { tokens } from './routes/tokens.ts'
import { scim } from './scim/scim.ts'

const resources = [
  me,
  live,
  catalogue,
  requestContext,
  templates,
  eligibleApprovers,
  accessRequests,
  decisions,
  messages,
  identities,
  credentials,
  groups,
  applications,
  personalAccessTokens,
  signInProviders,
  tokens,
  scriptTasks,
  scriptTests,
  scriptReplays,
  scriptVersions,
  scriptDeliveries,
  sandbox,
  secrets,
  signingKeys,
  scimSetUp,
]

/** What somebody was told stays in no cache: whoever goes back, or comes after them, asks for it anew. */
const unkept: MiddlewareHandler<Env> = async (c, next) => {
  await next()
  if (c.res.headers.get('cache-control') === 'no-cache') c.header('cache-control', 'private, no-store')
}

function createApi(deps: Deps, limiter: TokenLimiter): OpenAPIHono<Env> {
  const api = router()
  api.use(unkept)
  docs(api, deps)
  api.post('/applications/:id/token', recordTokenRefusals(limiter))
  api.use(authenticate, limitCalls(deps), readBody, identify, assertScope, idempotent)
  for (const resource of resources) api.route('/', resource)
  return api
}

/** The whole HTTP surface. `app.request()` and `app.fetch` take it from here. */
export function createApp(deps: Deps): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>()
  app.use(async (c, next) => {
    c.set('deps', deps)
    c.header('x-content-type-options', 'nosniff')
    c.header('cross-origin-resource-policy', 'same-origin')
    c.header('cache-control', 'no-cache')
    await next()
  })
  app.notFound((c) => problem(c, new DomainError('not_found', 'There is nothing at this address.')))
  app.onError((error, c) => {
    const refusal = asDomainError(error)
    if (refusal === undefined) deps.logError(`${c.req.method} ${c.req.path} failed`, error)
    if (refusal?.code === 'unavailable')
      deps.logError(`${c.req.method} ${c.req.path} answered 503: ${error.message}`)
    return problem(c, refusal ?? internalError())
  })
  health(app)
  docsPage(app)
  app.get('/.well-known/jwks.json', (c) =>
    c.json(deps.signer.jwks(), 200, { 'cache-control': `public, max-age=${deps.keyring.jwks_max_age}` }),
  )
  app.route('/auth', createAuth(limitSignIns(deps.sql, deps.limits)))
  discovery(app)
  const limiter = createTokenLimiter(deps.sql, deps.limits)
  app.route('/oauth', oauth(deps, limiter))
  app.route('/scim/v2', scim(deps))
  app.route('/api/v1', createApi(deps, limiter))
  if (deps.pages_folder !== undefined) pages(app, deps.pages_folder)
  return app
}
