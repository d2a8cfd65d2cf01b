import type { ServerResponse } from 'node:http'

import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { CryptoKey, JWK } from 'jose'

import { startHttp } from '../../egress/servers.ts'

type Fields = { [key: string]: unknown }

/** Answers in place of the issuer, where a test wants it to misbehave. True: it has answered, or never will. */
export type Misbehaviour = (path: string, response: ServerResponse) => boolean

export type Issuer = {
  url: string
  key: { kid: string; privateKey: CryptoKey; jwk: JWK }
  /** Paths that were asked for, in order. */
  asked: string[]
  misbehave: (how: Misbehaviour | undefined) => void
  /** From now on it signs with, and publishes, another key. */
  rotate: () => Promise<void>
  /** A workload's token; `claims` and `header` change or, undefined, leave out what is usual. */
  token: (claims?: Fields, header?: Fields) => Promise<string>
  close: () => Promise<void>
}

async function newKey(kid: string): Promise<Issuer['key']> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
}

export const nowSeconds = () => Math.floor(Date.now() / 1_000)

/** A small OpenID Connect issuer of workload tokens, as a CI system or a cluster is one. */
export async function startIssuer(): Promise<Issuer> {
  let misbehaviour: Misbehaviour | undefined
  let rotations = 0
  const asked: string[] = []
  const server = await startHttp((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    if (misbehaviour?.(path, response)) return
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: it.url, jwks_uri: `${it.url}/keys` },
      '/keys': { keys: [it.key.jwk] },
    }
    response.writeHead(path in documents ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(documents[path] ?? null))
  })
  const it: Issuer = {
    url: `http://127.0.0.1:${server.port}`,
    key: await newKey('first'),
    asked,
    misbehave: (how) => void (misbehaviour = how),
    async rotate() {
      it.key = await newKey(`rotated-${++rotations}`)
    },
    async token(claims = {}, header = {}) {
      const usual = { iss: it.url, aud: 'hallpass', iat: nowSeconds(), exp: nowSeconds() + 300 }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: it.key.kid, ...header })
        .sign(it.key.privateKey, { crit: { hold: true } })
    },
    close: () => server.close(),
  }
  return it
}
