import { authorizationCodeGrant, AuthorizationResponseError, fetchUserInfo } from 'openid-client'
import type { Configuration } from 'openid-client'

import type { Vouched } from '../../db/sign-in/admit.ts'
import { SignInRefused } from '../../domain/sign-in.ts'
import type { SignInProvider } from '../../domain/sign-in-provider.ts'
import { Name } from '../../domain/text.ts'
import type { AttemptSecrets } from './attempt-secrets.ts'
import { ProviderUnreachable } from './provider-client.ts'

type Claims = { readonly [claim: string]: unknown }

/** Subjects and values are compared as they are: what could not be kept as it is, is none. */
const isPlain = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length <= most && value.isWellFormed() && !value.includes('\0')

/** In ASCII: letters that look alike, or fall together in lower case, are no way to another's address. */
const isAddress = (value: unknown): value is string =>
  isPlain(value, 254) && /^[\x21-\x3f\x41-\x7e]+@[a-z0-9.-]+$/i.test(value)

const verifiedEmail = ({ email, email_verified }: Claims): string | null =>
  email_verified === true && isAddress(email) ? email : null

function groupValuesOf(claims: Claims, claim: string | null): string[] {
  if (claim === null || !Object.hasOwn(claims, claim)) return []
  const values: unknown[] = Array.isArray(claims[claim]) ? claims[claim] : [claims[claim]]
  return values.filter((value) => isPlain(value, 500))
}

function displayNameOf({ name }: Claims, fallback: string): string {
  return Name.safeParse(name).data ?? Name.parse(fallback)
}

function readClaims(claims: Claims, { group_claim }: SignInProvider): Vouched {
  const { sub } = claims
  if (!isPlain(sub, 255) || sub === '') throw new SignInRefused('provider_refused')
  const email = verifiedEmail(claims)
  return {
    subject: sub,
    email,
    display_name: displayNameOf(claims, email ?? 'Somebody'),
    group_values: groupValuesOf(claims, group_claim),
  }
}

type Grant = { callback: URL; secrets: AttemptSecrets; provider: SignInProvider }

/** What the ID token does not say; an address and whether it is verified are one statement. */
function addMissing(claims: Claims, asked: Claims): Claims {
  const { email, email_verified, ...rest } = asked
  const isSaid = Object.hasOwn(claims, 'email') && Object.hasOwn(claims, 'email_verified')
  return { ...rest, ...claims, ...(!isSaid && { email, email_verified }) }
}

/** Some providers put into the ID token only who it is; the rest is asked for, with the token that came with it. */
async function redeem(client: Configuration, { callback, secrets, provider }: Grant): Promise<Claims> {
  const tokens = await authorizationCodeGrant(client, callback, {
    expectedState: secrets.state,
    expectedNonce: secrets.nonce,
    pkceCodeVerifier: secrets.code_verifier,
    idTokenExpected: true,
  })
  const claims: Claims = tokens.claims() ?? {}
  const wanted = ['email', 'email_verified', ...(provider.group_claim === null ? [] : [provider.group_claim])]
  const isComplete = wanted.every((claim) => Object.hasOwn(claims, claim))
  if (isComplete || client.serverMetadata().userinfo_endpoint === undefined) return claims
  return addMissing(claims, await fetchUserInfo(client, tokens.access_token, String(claims['sub'])))
}

const isUnreachable = (error: unknown): boolean =>
  error instanceof ProviderUnreachable || (error instanceof Error && isUnreachable(error.cause))

/** What the person is told of a failure at the provider; the rest is for the operator. */
export function asRefusal(error: unknown): SignInRefused {
  if (error instanceof SignInRefused) return error
  const isCancelled = error instanceof AuthorizationResponseError && error.error === 'access_denied'
  if (isCancelled) return new SignInRefused('cancelled', { cause: error })
  return new SignInRefused(isUnreachable(error) ? 'provider_unavailable' : 'provider_refused', {
    cause: error,
  })
}

/** Whom the provider says that it sent back. @throws SignInRefused */
export async function readVouched(client: Configuration, grant: Grant): Promise<Vouched> {
  try {
    return readClaims(await redeem(client, grant), grant.provider)
  } catch (error) {
    throw asRefusal(error)
  }
}
