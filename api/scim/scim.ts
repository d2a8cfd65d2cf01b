import { DomainError } from '../../domain/errors.ts'
import { maxBytes, readBodyUpTo } from '../body.ts'
import type { Deps } from '../deps.ts'
import { createScimLimiter } from '../limit-scim.ts'
import { asDomainError, internalError } from '../problem.ts'
import { router } from '../router.ts'
import { sendDocument, sendDocuments } from './answer.ts'
import { resourceTypes, schemas, serviceProviderConfig } from './documents.ts'
import { scimGroups } from './groups.ts'
import { ScimError, sendRefusal, sendScimError } from './problem.ts'
import {
  authenticateAgain,
  authenticateProvisioner,
  baseOf,
  refuseVersions,
  takeScimJson,
} from './request.ts'
import type { ScimEnv } from './request.ts'
import { scimUsers } from './users.ts'

/** A group of twenty thousand, with all that a provider says of each. */
const readScimBody = readBodyUpTo((path) => (path.includes('/Groups') ? 4 * maxBytes : maxBytes))

const noResource = () => new DomainError('not_found', 'There is no such resource.')

const getNamed = <Named extends { id: string }>(documents: readonly Named[], id: string): Named => {
  const found = documents.find((document) => document.id === id)
  if (found === undefined) throw noResource()
  return found
}

/** What this server can do, for whoever sets a provider up. */
const described = router<ScimEnv>()
  .get('/ServiceProviderConfig', (c) => sendDocument(c, serviceProviderConfig(baseOf(c))))
  .get('/ResourceTypes', (c) => sendDocuments(c, resourceTypes(baseOf(c))))
  .get('/ResourceTypes/:id', (c) => sendDocument(c, getNamed(resourceTypes(baseOf(c)), c.req.param('id'))))
  .get('/Schemas', (c) => sendDocuments(c, schemas(baseOf(c))))
  .get('/Schemas/:id', (c) => sendDocument(c, getNamed(schemas(baseOf(c)), c.req.param('id'))))

/** SCIM 2.0 (RFC 7643, RFC 7644): an identity provider keeps people and groups here, by a token of its own. */
export function scim(deps: Deps) {
  const app = router<ScimEnv>()
  app.onError((error, c) => {
    if (error instanceof ScimError) return sendScimError(c, error)
    const refusal = asDomainError(error)
    if (refusal === undefined) deps.logError(`${c.req.method} ${c.req.path} failed`, error)
    return sendRefusal(c, refusal ?? internalError())
  })
  const limiter = createScimLimiter(deps.sql, deps.limits)
  app.use(limiter.byAddress, authenticateProvisioner(limiter), refuseVersions, takeScimJson, readScimBody)
  app.use(authenticateAgain)
  for (const part of [described, scimUsers, scimGroups]) app.route('/', part)
  app.all('*', () => {
    throw noResource()
  })
  return app
}
