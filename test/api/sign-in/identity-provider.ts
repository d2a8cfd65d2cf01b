import { generateKeyPairSync } from 'node:crypto'
import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Provider } from 'oidc-provider'

/** What the provider says of an account, besides its subject. */
export type Account = { email?: string; email_verified?: boolean; name?: string; groups?: unknown }

export type IdentityProvider = {
  issuer: string
  client_id: string
  client_secret: string
  accounts: Map<string, Account>
  /** Who signs in next; null: whoever comes refuses. */
  person: string | null
  close: () => Promise<void>
}

const client = { client_id: 'hallpass', client_secret: 'a+secret/with%20signs' }

const claimsOf = (sub: string, account: Account) => ({ sub, ...account })

/** oidc-provider as somebody would run it, with a page on which whoever is named is signed in at once. */
export async function startIdentityProvider(
  redirect_uri: string,
  configuration: object = {},
): Promise<IdentityProvider> {
  let provider: Provider
  let answer: ReturnType<Provider['callback']>
  const accounts = new Map<string, Account>()
  const it = { issuer: '', ...client, accounts, person: null as string | null }

  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { params } = await provider.interactionDetails(request, response)
    const accountId = it.person
    if (accountId === null)
      return provider.interactionFinished(request, response, {
        error: 'access_denied',
        error_description: 'no',
      })
    const grant = new provider.Grant({ accountId, clientId: params.client_id })
    grant.addOIDCScope(params.scope)
    const consent = { grantId: await grant.save() }
    return provider.interactionFinished(request, response, { login: { accountId, remember: false }, consent })
  }

  const server = http.createServer((request, response) => {
    const isPage = request.url?.startsWith('/interaction/')
    void (isPage ? interact(request, response) : answer(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  it.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  provider = new Provider(it.issuer, {
    clients: [{ ...client, redirect_uris: [redirect_uri], grant_types: ['authorization_code'] }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['test'] },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_: unknown, sub: string) => {
      const account = accounts.get(sub)
      return account && { accountId: sub, claims: () => claimsOf(sub, account) }
    },
    ...configuration,
  })
  answer = provider.callback()
  const close = () => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return Object.assign(it, { close })
}
