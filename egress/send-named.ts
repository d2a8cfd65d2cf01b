import { sendGuarded } from './send-guarded.ts'
import type { GuardedRequest, GuardedResponse } from './send-guarded.ts'
import { readTarget } from './target.ts'

/**
 * Sends a request to the server that its URL names, for URLs that an admin wrote: the guard looks at the address all
 * the same, and private ones are reached only where the operator allows them.
 */
export async function sendNamed(
  request: GuardedRequest,
  allow_private: boolean,
  signal: AbortSignal,
): Promise<GuardedResponse> {
  const { host, port } = readTarget(request.url)
  return sendGuarded(request, { hosts: [`${host}:${port}`], allow_private }, { signal })
}
