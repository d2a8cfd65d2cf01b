import { setImmediate } from 'node:timers/promises'

import type { Context } from 'hono'

import { listScimMembers } from '../../db/scim/members.ts'
import type { ScimGroup, ScimMember } from '../../domain/scim.ts'
import { listHead, sendDocument, sendResource, shown } from './answer.ts'
import { mediaType, ScimError } from './problem.ts'
import { wants } from './query.ts'
import { baseOf } from './request.ts'
import type { ScimEnv } from './request.ts'
import { groupDocument, memberDocument } from './resources.ts'

/** One answer names at most so many members. */
const mostNamed = 100_000

/** So many are written at a time; between, others have their turn. */
const atOnce = 500

type Filled = { group: ScimGroup; members: ScimMember[] }

/** @throws ScimError where it would name too many */
async function fill(c: Context<ScimEnv>, groups: readonly ScimGroup[]): Promise<Filled[]> {
  let left = mostNamed
  const filled: Filled[] = []
  for (const group of groups) {
    const members = await listScimMembers(c.get('deps').sql, group.id, left + 1)
    left -= members.length
    if (left < 0)
      throw new ScimError(
        'tooMany',
        `There are more than ${mostNamed} members: send excludedAttributes=members.`,
      )
    filled.push({ group, members })
  }
  return filled
}

/** The text of an object without its end, for one more member. */
const opened = (object: object, name: string): string => `${JSON.stringify(object).slice(0, -1)},"${name}":[`

function* textOf(c: Context<ScimEnv>, { group, members }: Filled): Generator<string> {
  const base = baseOf(c)
  yield opened(shown(c, groupDocument(group, base)), 'members')
  for (let from = 0; from < members.length; from += atOnce) {
    const part = members.slice(from, from + atOnce).map((member) => memberDocument(member, base))
    yield `${from === 0 ? '' : ','}${JSON.stringify(part).slice(1, -1)}`
  }
  yield ']}'
}

async function* bytesOf(pieces: Iterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for (const piece of pieces) {
    yield encoder.encode(piece)
    await setImmediate()
  }
}

/** A text of megabytes is written as whoever reads it takes it. */
const send = (c: Context<ScimEnv>, pieces: Iterable<string>, status: 200 | 201): Response =>
  c.body(ReadableStream.from(bytesOf(pieces)), status, { 'content-type': mediaType })

/** With its members, where they are asked for. @throws ScimError */
export async function sendGroup(
  c: Context<ScimEnv>,
  group: ScimGroup,
  status: 200 | 201 = 200,
): Promise<Response> {
  const document = groupDocument(group, baseOf(c))
  if (!wants(c.req.query(), 'members')) return sendResource(c, document, status)
  const [filled] = await fill(c, [group])
  if (filled === undefined) return sendResource(c, document, status)
  if (status === 201) c.header('location', document.meta.location)
  return send(c, textOf(c, filled), status)
}

type List = { total: number; startIndex: number; resources: ScimGroup[] }

function* textOfList(c: Context<ScimEnv>, head: object, groups: readonly Filled[]): Generator<string> {
  yield opened(head, 'Resources')
  for (const [at, group] of groups.entries()) {
    if (at > 0) yield ','
    yield* textOf(c, group)
  }
  yield ']}'
}

/** As `sendGroup`. @throws ScimError */
export async function sendGroups(c: Context<ScimEnv>, { total, startIndex, resources }: List) {
  const head = listHead({ total, startIndex, itemsPerPage: resources.length })
  if (wants(c.req.query(), 'members')) return send(c, textOfList(c, head, await fill(c, resources)), 200)
  const documents = resources.map((group) => shown(c, groupDocument(group, baseOf(c))))
  return sendDocument(c, { ...head, Resources: documents })
}
