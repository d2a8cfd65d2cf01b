import {
  allowInsecureRequests,
  ClientSecretBasic,
  ClientSecretPost,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
} from 'openid-client'
import type { ClientAuth, Configuration, CustomFetch } from 'openid-client'

import type { OpenedProvider } from '../../db/sign-in/providers.ts'
import type { Deps } from '../deps.ts'

type Outward = Pick<Deps, 'send' | 'allow_private_egress'>

/** The provider could not be called, whatever it would have said. */
export class ProviderUnreachable extends Error {}

const timeoutSeconds = 10
const toleranceSeconds = 30

/** As long as what was discovered is believed. Keys are looked up anew by the client when one is not known. */
const believedMs = 3_600_000

const textOf = (body: Parameters<CustomFetch>[1]['body']): string | null =>
  body instanceof URLSearchParams || typeof body === 'string' ? body.toString() : null

/** Past the guard of outward calls: no metadata service, nothing private unless the operator allows it. */
const fetchBy =
  ({ send }: Outward): CustomFetch =>
  async (url, { method, headers, body, signal }) => {
    const timeout = signal ?? AbortSignal.timeout(timeoutSeconds * 1_000)
    try {
      const answer = await send({ method, url, headers: { ...headers }, body: textOf(body) }, timeout)
      const isBodiless = [204, 205, 304].includes(answer.status)
      return new Response(isBodiless ? null : answer.body, answer)
    } catch (error) {
      throw new ProviderUnreachable('the provider cannot be called', { cause: error })
    }
  }

/** By the method that the provider names; one that names none takes `client_secret_basic`. */
function authenticateBy(secret: string | null): ClientAuth {
  if (secret === null) return None()
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const authenticate = methods.includes('client_secret_basic') ? basic : post
    authenticate(server, ...rest)
  }
}

async function discover(
  outward: Outward,
  { resource, client_secret }: OpenedProvider,
): Promise<Configuration> {
  const { issuer, client_id } = resource
  const insecure = outward.allow_private_egress ? [allowInsecureRequests] : []
  const client = await discovery(
    new URL(issuer),
    client_id,
    { [clockTolerance]: toleranceSeconds },
    authenticateBy(client_secret),
    {
      [customFetch]: fetchBy(outward),
      timeout: timeoutSeconds,
      execute: [enableNonRepudiationChecks, ...insecure],
    },
  )
  // For some hosts the library takes documents that speak for every tenant; a subject is one issuer's.
  if (new URL(client.serverMetadata().issuer).href !== new URL(issuer).href)
    throw new Error('the provider names another issuer than its own')
  return client
}

type Kept = { version: number; until: number; client: Promise<Configuration> }

/** Finds the client of a provider; what it discovers is kept while the provider stays as it is. */
export function createProviderClients() {
  const kept = new Map<string, Kept>()
  return (outward: Outward, provider: OpenedProvider): Promise<Configuration> => {
    const { id } = provider.resource
    const known = kept.get(id)
    if (known && known.version === provider.version && known.until > Date.now()) return known.client
    const client = discover(outward, provider)
    kept.set(id, { version: provider.version, until: Date.now() + believedMs, client })
    client.catch(() => kept.delete(id))
    return client
  }
}

export type FindClient = ReturnType<typeof createProviderClients>
