import { createHash, createHmac } from 'node:crypto'

/**
 * All that an attempt at a provider needs, made of the one secret in the browser's cookie: whoever has not that has
 * none of it, and the database holds nothing to steal.
 */
export type AttemptSecrets = { state: string; nonce: string; code_verifier: string; code_challenge: string }

const derive = (secret: string, purpose: string): string =>
  createHmac('sha256', secret).update(`hallpass sign-in ${purpose}`).digest('base64url')

export function attemptSecretsOf(secret: string): AttemptSecrets {
  const code_verifier = derive(secret, 'code verifier')
  return {
    state: derive(secret, 'state'),
    nonce: derive(secret, 'nonce'),
    code_verifier,
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
  }
}
