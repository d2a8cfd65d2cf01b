import { z } from 'zod'

import { refuseJson } from '../refuse-json.ts'

/** What a token that somebody else has signed says, before any of it is believed. */
export type ForeignJwt = { header: Record<string, unknown>; claims: Record<string, unknown> }

const Members = z.record(z.string(), z.unknown())

function readPart(part: string): Record<string, unknown> {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url'))
  // First of all it is JSON: in other text a string without an end would be looked for from each of its quotes.
  const members = Members.parse(JSON.parse(text))
  // Two members of one name: whoever signed and whoever reads may each take another one.
  if (refuseJson(text) !== undefined) throw new Error('the token says something twice')
  return members
}

/** @throws Error when it is no signed JWT of at most `longest` characters */
export function readForeignJwt(token: string, longest: number): ForeignJwt {
  const parts = token.length > longest ? undefined : /^([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(token)
  const [, header, claims] = parts ?? []
  if (header === undefined || claims === undefined) throw new Error('this is not a signed JWT')
  return { header: readPart(header), claims: readPart(claims) }
}

/** Whether a token says in its header that it is of one of these types; one that says nothing is of the type `''`. */
export function isOfType({ header }: ForeignJwt, types: readonly string[]): boolean {
  const { typ = '' } = header
  return typeof typ === 'string' && types.includes(typ.toLowerCase().replace(/^application\//, ''))
}
