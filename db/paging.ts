import { z } from 'zod'

import { DomainError } from '../domain/errors.ts'

/** A page of a list. `next_cursor` is null on the last one. */
export type Page<Row> = { data: Row[]; next_cursor: string | null }

/**
 * `after` is the key of the last row that the caller has seen: an id, or a version's number. Ids are UUIDv7: their
 * order is the order of creation.
 */
export type PageRequest = { limit: number; after: string | null }

const Id = z.tuple([z.string(), z.uuid()])
const Numbered = z.tuple([z.string(), z.string().regex(/^\d{1,9}$/)])
const schemaOf = (list: string) => (list === 'versions' ? Numbered : Id)

/** A cursor belongs to the list that gave it. */
export const encodeCursor = (list: string, key: string): string =>
  Buffer.from(JSON.stringify([list, key])).toString('base64url')

function parseCursor(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** @throws DomainError `invalid_request` for a cursor that this list did not give */
export function decodeCursor(list: string, text: string | undefined): string | null {
  if (text === undefined) return null
  const parsed = schemaOf(list).safeParse(parseCursor(text))
  if (parsed.success && parsed.data[0] === list && encodeCursor(list, parsed.data[1]) === text)
    return parsed.data[1]
  throw new DomainError('invalid_request', 'The cursor is not one that this list gave.', {
    errors: [{ pointer: '/cursor', detail: 'not a cursor of this list' }],
  })
}

/** Turns up to `limit + 1` rows into a page: the one too many says that there is a next page. */
export function toPage<Row extends { id: string }>(
  list: string,
  { limit }: PageRequest,
  found: Row[],
): Page<Row> {
  const data = found.slice(0, limit)
  const last = data.at(-1)
  return { data, next_cursor: found.length > limit && last ? encodeCursor(list, last.id) : null }
}
