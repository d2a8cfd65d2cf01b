import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { exportJWK, generateKeyPair, importJWK, SignJWT, UnsecuredJWT } from 'jose'
import type { JWTPayload } from 'jose'

/** What its token endpoint does next; the claims are those of an honest answer. */
export type Answer = (
  honest: JWTPayload,
  sign: (claims: JWTPayload, alg?: string) => Promise<string>,
) => Promise<unknown>

export type HostileProvider = {
  issuer: string
  /** Changes the discovery document. */
  metadata: Record<string, unknown>
  answer: Answer
  /** How the token endpoint was called. */
  seen: URLSearchParams[]
  /** The paths that were read. */
  read: string[]
  close: () => Promise<void>
}

export const honest: Answer = async (claims, sign) => tokensOf(await sign(claims))
export const tokensOf = (id_token: string) => ({ access_token: 'opaque', token_type: 'Bearer', id_token })
export const unsigned = (claims: JWTPayload): string => new UnsecuredJWT(claims).encode()

async function readForm(request: http.IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

async function send(response: http.ServerResponse, body: Promise<unknown>): Promise<void> {
  const text = JSON.stringify(await body)
  response.setHeader('content-type', 'application/json').end(text)
}

/** A provider that answers what a test wants it to. The codes that it takes are `<nonce>.<sub>`. */
export async function startHostileProvider(): Promise<HostileProvider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const privateJwk = await exportJWK(privateKey)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }
  const it = { issuer: '', metadata: {}, answer: honest, seen: [] as URLSearchParams[], read: [] as string[] }

  async function tokens(request: http.IncomingMessage): Promise<unknown> {
    const form = await readForm(request)
    it.seen.push(form)
    const [nonce = '', sub = ''] = (form.get('code') ?? '').split('.')
    const iat = Math.floor(Date.now() / 1_000)
    const who = { email: `${sub}@example.com`, email_verified: true, name: sub }
    const claims = { iss: it.issuer, sub, aud: 'hallpass', nonce, iat, exp: iat + 300, ...who }
    return it.answer(claims, (claims, alg = 'RS256') => sign(claims, alg))
  }

  const sign = async (claims: JWTPayload, alg: string): Promise<string> => {
    const secret = new TextEncoder().encode('s'.repeat(64))
    const key = alg.startsWith('HS') ? secret : await importJWK(privateJwk, alg)
    return new SignJWT(claims).setProtectedHeader({ alg, kid: 'k' }).sign(key)
  }

  const documents: Record<string, () => unknown> = {
    '/.well-known/openid-configuration': () => ({
      issuer: it.issuer,
      authorization_endpoint: `${it.issuer}/authorize`,
      token_endpoint: `${it.issuer}/token`,
      jwks_uri: `${it.issuer}/jwks`,
      response_types_supported: ['code'],
      id_token_signing_alg_values_supported: ['RS256'],
      authorization_response_iss_parameter_supported: true,
      ...it.metadata,
    }),
    '/jwks': () => ({ keys: [jwk] }),
  }

  const server = http.createServer((request, response) => {
    it.read.push(request.url ?? '')
    const document = documents[request.url ?? '']
    void send(response, document ? Promise.resolve(document()) : tokens(request))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  it.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return Object.assign(it, { close })
}
