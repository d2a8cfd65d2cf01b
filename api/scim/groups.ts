import { randomUUIDv7 } from 'node:crypto'

import { Schemas } from 'scimmy'
import type { Context } from 'hono'

import {
  changeScimGroup,
  createScimGroup,
  deleteScimGroup,
  getScimGroup,
  listScimGroups,
} from '../../db/scim/groups.ts'
import type { ScimGroup, ScimGroupInput } from '../../domain/scim.ts'
import { router } from '../router.ts'
import { sendGroup, sendGroups } from './answer-groups.ts'
import { applyOperations, readFields, readOperations, readResource } from './incoming.ts'
import { asId, asText, readFilter } from './filter.ts'
import { readMemberChange } from './member-change.ts'
import { assertUserIds, readMemberIds } from './members.ts'
import { readWindow, wants } from './query.ts'
import { baseOf, getId } from './request.ts'
import type { ScimEnv } from './request.ts'
import { groupResource, readGroup } from './resources.ts'

const names = { displayname: 'display_name', externalid: 'external_id', id: 'id', members: 'member' } as const

type Sent = { input: ScimGroupInput; member_ids: string[] }

async function readSent(body: unknown): Promise<Sent> {
  const { members, ...rest } = readFields(body)
  const input = readGroup(await readResource((fields) => new Schemas.Group(fields, 'in'), rest))
  const member_ids = await readMemberIds(members ?? [])
  assertUserIds(member_ids)
  return { input, member_ids }
}

/** What was changed is told to who asks for it by attributes, as RFC 7644, 3.5.2, allows: a group may be large. */
function sendChanged(c: Context<ScimEnv>, group: ScimGroup): Promise<Response> | Response {
  const hasAsked = c.req.query('attributes') !== undefined || !wants(c.req.query(), 'members')
  return hasAsked ? sendGroup(c, group) : c.body(null, 204)
}

/** The groups that the provider made, and those that an admin has linked to it. */
export const scimGroups = router<ScimEnv>()
  .get('/Groups', async (c) => {
    const asked = readFilter(c.req.query('filter'), names)
    const filter = {
      display_name: asText(asked.display_name),
      external_id: asText(asked.external_id),
      id: asId(asked.id),
      member: asId(asked.member),
    }
    const { startIndex, ...window } = readWindow(c.req.query())
    return sendGroups(c, { ...(await listScimGroups(c.get('deps').sql, filter, window)), startIndex })
  })
  .post('/Groups', async (c) => {
    const create = {
      id: randomUUIDv7(),
      ...(await readSent(await c.req.json())),
      actor: c.get('provisioner'),
    }
    return sendGroup(c, await createScimGroup(c.get('deps').sql, create), 201)
  })
  .get('/Groups/:id', async (c) => sendGroup(c, await getScimGroup(c.get('deps').sql, getId(c))))
  .put('/Groups/:id', async (c) => {
    const { input, member_ids } = await readSent(await c.req.json())
    const members = { is_whole: true, added: member_ids, removed: [] }
    const edit = () => Promise.resolve(input)
    const change = { id: getId(c), actor: c.get('provisioner'), edit, members }
    return sendGroup(c, await changeScimGroup(c.get('deps').sql, change))
  })
  .patch('/Groups/:id', async (c) => {
    const { members, others } = await readMemberChange(readOperations(await c.req.json()))
    const edit = async (before: ScimGroup) =>
      readGroup(await applyOperations(groupResource(before, baseOf(c)), others))
    const change = { id: getId(c), actor: c.get('provisioner'), members }
    const edited = others.length > 0 ? { ...change, edit } : change
    return sendChanged(c, await changeScimGroup(c.get('deps').sql, edited))
  })
  .delete('/Groups/:id', async (c) => {
    await deleteScimGroup(c.get('deps').sql, { id: getId(c), actor: c.get('provisioner') })
    return c.body(null, 204)
  })
