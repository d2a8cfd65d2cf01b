import { createPublicKey } from 'node:crypto'

import { createRoute, z } from '@hono/zod-openapi'
import { calculateJwkThumbprint } from 'jose'

import {
  createCredential,
  credentialsOf,
  deleteCredential,
  getCredential,
  listCredentials,
} from '../../db/oauth/credentials.ts'
import type { CredentialFields } from '../../db/oauth/credentials.ts'
import { createSecretToken } from '../../db/secret-tokens.ts'
import {
  Credential,
  CredentialId,
  CredentialInput,
  keyPartOf,
  NewCredential,
} from '../../domain/credential.ts'
import type { PublicJwk } from '../../domain/credential.ts'
import { DomainError } from '../../domain/errors.ts'
import type { FieldError } from '../../domain/errors.ts'
import { refuseWorkload } from '../../domain/federation.ts'
import { IdentityId } from '../../domain/ids.ts'
import type { Deps } from '../deps.ts'
import {
  body,
  created,
  json,
  listOf,
  pageOf,
  PageQuery,
  problems,
  router,
  security,
  WriteHeaders,
} from '../router.ts'

const path = '/identities/{id}/credentials'
const one = `${path}/{credential_id}` as const
const params = z.object({ id: IdentityId })
const oneParams = params.extend({ credential_id: CredentialId })
const common = { tags: ['Credentials'], security }

const list = createRoute({
  ...common,
  method: 'get',
  path,
  summary: 'List the credentials of a non-human identity, never their secrets',
  request: { params, query: PageQuery },
  responses: { 200: json(listOf(Credential), 'Credentials, oldest first'), ...problems(403, 404, 422) },
})

const create = createRoute({
  ...common,
  method: 'post',
  path,
  summary: 'Give a non-human identity a credential',
  description:
    'By its owner, or with directory.manage. `client_secret` is in this answer and in no other; an identity has at ' +
    'most two live ones. Whoever makes one decides nothing that the identity asks for while it is good. A federated ' +
    'workload is named exactly: whatever could match another one is refused.',
  request: { params, headers: WriteHeaders, body: body(CredentialInput) },
  responses: { 201: created(NewCredential, 'Created'), ...problems(403, 404, 409, 422) },
})

const get = createRoute({
  ...common,
  method: 'get',
  path: one,
  summary: 'Get a credential, never its secret',
  request: { params: oneParams },
  responses: { 200: json(Credential, 'Found'), ...problems(403, 404) },
})

const remove = createRoute({
  ...common,
  method: 'delete',
  path: one,
  summary: 'Delete a credential',
  request: { params: oneParams, headers: WriteHeaders },
  responses: { 204: { description: 'Deleted' }, ...problems(403, 404) },
})

const refuse = (errors: FieldError[]): DomainError =>
  new DomainError(
    'invalid_request',
    `The credential is not valid: ${errors[0]?.pointer.slice(1)} ${errors[0]?.detail}.`,
    {
      errors,
    },
  )

function isStrongKey(jwk: Record<string, string>): boolean {
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: jwk, format: 'jwk' })
    return (asymmetricKeyDetails?.modulusLength ?? 2_048) >= 2_048
  } catch {
    return false
  }
}

/** @throws DomainError `invalid_request` */
function readKey(input: PublicJwk): Record<string, string> {
  const jwk = keyPartOf(input)
  if (isStrongKey(jwk)) return jwk
  throw refuse([
    { pointer: '/jwk', detail: 'is not a public key of ES256, RS256 (2048 bits or more) or Ed25519' },
  ])
}

async function readPublicKey(input: PublicJwk): Promise<CredentialFields> {
  const jwk = readKey(input)
  return { type: 'public_key', jwk, kid: input.kid ?? (await calculateJwkThumbprint(jwk)) }
}

type Prepared = { fields: CredentialFields; client_secret?: string }

async function prepare(input: CredentialInput, { signer, allow_private_egress }: Deps): Promise<Prepared> {
  if (input.type === 'client_secret') {
    const { token, hash } = createSecretToken('hps')
    return { fields: { type: 'client_secret', secret_hash: hash }, client_secret: token }
  }
  if (input.type === 'public_key') return { fields: await readPublicKey(input.jwk) }
  const { expires_at: _, ...workload } = input
  const errors = refuseWorkload(workload, { own_issuer: signer.issuer, may_be_local: allow_private_egress })
  if (errors.length > 0) throw refuse(errors)
  return { fields: workload }
}

export const credentials = router()
  .openapi(list, async (c) => {
    const { id } = c.req.valid('param')
    const page = pageOf(credentialsOf(id), c.req.valid('query'))
    const asking = { identity_id: id, actor: c.get('caller') }
    return c.json(await listCredentials(c.get('deps').sql, asking, page), 200)
  })
  .openapi(create, async (c) => {
    const { id: identity_id } = c.req.valid('param')
    const input = c.req.valid('json')
    const { fields, ...secret } = await prepare(input, c.get('deps'))
    const save = { id: c.get('operation_id'), identity_id, actor: c.get('caller'), fields }
    const credential = await createCredential(c.get('deps').sql, { ...save, expires_at: input.expires_at })
    const location = `/api/v1/identities/${identity_id}/credentials/${credential.id}`
    const isSecret = secret.client_secret !== undefined
    return c.json({ ...credential, ...secret }, 201, {
      location,
      ...(isSecret && { 'cache-control': 'no-store' }),
    })
  })
  .openapi(get, async (c) => {
    const { id: identity_id, credential_id: id } = c.req.valid('param')
    const credential = await getCredential(c.get('deps').sql, { identity_id, id, actor: c.get('caller') })
    return c.json(credential, 200)
  })
  .openapi(remove, async (c) => {
    const { id: identity_id, credential_id: id } = c.req.valid('param')
    await deleteCredential(c.get('deps').sql, { identity_id, id, actor: c.get('caller') })
    return c.body(null, 204)
  })
