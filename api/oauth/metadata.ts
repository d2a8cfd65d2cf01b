import { proofAlgorithms } from '../credentials/dpop-proof.ts'
import { assertionAlgorithms } from './assertion.ts'
import { authenticationMethods } from './authenticate-client.ts'
import { grantTypes } from './token.ts'

const authentication = (endpoint: string, methods: readonly string[]) => ({
  [`${endpoint}_endpoint_auth_methods_supported`]: methods,
  [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: assertionAlgorithms,
})

/** What a client has to know of this server (RFC 8414). In an exchange the subject token says who the client is: method `none`. */
export const metadataOf = (issuer: string) => ({
  issuer,
  token_endpoint: `${issuer}/oauth/token`,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  service_documentation: `${issuer}/api/docs`,
  grant_types_supported: grantTypes,
  response_types_supported: [],
  ...authentication('token', [...authenticationMethods, 'none']),
  ...authentication('introspection', authenticationMethods),
  ...authentication('revocation', authenticationMethods),
  dpop_signing_alg_values_supported: proofAlgorithms,
})
