import { randomBytes } from 'node:crypto'

import type { Sql } from '../../db/client.ts'
import { openSecret } from '../../db/scripts/secrets.ts'
import type { Sealer } from '../../db/sealing.ts'
import { findEgressHost } from '../../domain/egress-host.ts'
import type { GuardedRequest } from '../../egress/send-guarded.ts'
import { readTarget } from '../../egress/target.ts'
import { createMask, encodePath } from './mask.ts'

/** The secrets of one run: the script holds placeholders, values are put in their place on the way out. */
export type Vault = {
  /** By name, what `secrets.get` gives: unguessable, and worth nothing outside of this run. */
  placeholders: Record<string, string>
  /** @throws Error for whoever wrote the script, when a secret may not go where the request would take it */
  fillIn(request: GuardedRequest): Promise<GuardedRequest>
  /** Names in place of placeholders and of all values that were filled in. */
  mask: (text: string) => string
}

type Opened = { value: string; hosts: string[] }
type Encode = (value: string) => string

// A placeholder is short and a value may be long: what a script may send is counted before it is filled in.
const MAX_PLACEHOLDERS = 100

const placeholderPattern = /secret_[0-9a-f]{32}/g

const asItIs: Encode = (value) => value
const inJson: Encode = (value) => JSON.stringify(value).slice(1, -1)

function contentTypeOf(headers: Record<string, string>): string {
  const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')
  return entry?.[1].toLowerCase() ?? ''
}

function encodingOf(headers: Record<string, string>): Encode {
  const type = contentTypeOf(headers)
  if (/[/+]json\b/.test(type)) return inJson
  return type.startsWith('application/x-www-form-urlencoded') ? encodeURIComponent : asItIs
}

/** How a value has to be written at this place of a URL: whole addresses as they are, in path and query escaped. */
function encodingAt(url: string, index: number): Encode {
  const before = url.slice(0, index)
  if (before === '') return asItIs
  // However many slashes there are, a URL takes what follows them for its host, and an error would tell it.
  if (/^[^/?#]*\/*[^/?#]*$/.test(before)) throw new Error('a secret cannot be part of the name of a host')
  return before.includes('?') ? encodeURIComponent : encodePath
}

/** @param names of the secrets that there are; their values are read when they are used */
export function createVault(sql: Sql, sealer: Sealer, names: readonly string[]): Vault {
  const placeholders = Object.fromEntries(
    names.map((name) => [name, `secret_${randomBytes(16).toString('hex')}`]),
  )
  const nameOf = new Map(Object.entries(placeholders).map(([name, placeholder]) => [placeholder, name]))
  const opened = new Map<string, Opened>()
  const mask = createMask()

  // Read again for every call: a secret that is deleted, or kept from a host, stays in from then on.
  async function open(name: string): Promise<void> {
    const secret = await openSecret(sql, sealer, name)
    if (secret === undefined) throw new Error(`the secret ${name} is gone`)
    if (opened.get(name)?.value !== secret.value) mask.add(name, secret.value)
    opened.set(name, secret)
  }

  const namesIn = (text: string): string[] =>
    [...text.matchAll(placeholderPattern)].flatMap(([found]) => nameOf.get(found) ?? [])

  const put = (text: string, encodingFor: (index: number) => Encode): string =>
    text.replaceAll(placeholderPattern, (found, index: number) => {
      const secret = opened.get(nameOf.get(found) ?? '')
      return secret === undefined ? found : encodingFor(index)(secret.value)
    })

  function assertMayGo(used: readonly string[], url: string): void {
    const { host, port, is_tls } = readTarget(url)
    const kept = used.find((name) => {
      const entry = findEgressHost(opened.get(name)?.hosts ?? [], host, port)
      return entry === undefined || (!is_tls && entry.port === null)
    })
    const way = is_tls ? '' : ' by plain http'
    if (kept !== undefined) throw new Error(`the secret ${kept} may not be sent to ${host}:${port}${way}`)
  }

  async function fillIn(request: GuardedRequest): Promise<GuardedRequest> {
    const { url, headers, body } = request
    const found = namesIn([url, ...Object.values(headers), body ?? ''].join('\n'))
    if (found.length === 0) return request
    if (found.length > MAX_PLACEHOLDERS) throw new Error(`a call may carry ${MAX_PLACEHOLDERS} secrets`)
    const used = [...new Set(found)]
    for (const name of used) await open(name)
    const filled = {
      ...request,
      url: put(url, (index) => encodingAt(url, index)),
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, put(value, () => asItIs)]),
      ),
      body: body === null ? null : put(body, () => encodingOf(headers)),
    }
    assertMayGo(used, filled.url)
    return filled
  }

  const named = (text: string): string =>
    text.replaceAll(placeholderPattern, (found) =>
      nameOf.has(found) ? `[secret ${nameOf.get(found) ?? ''}]` : found,
    )
  return { placeholders, fillIn, mask: (text) => mask.apply(named(text)) }
}
