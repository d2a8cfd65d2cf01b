import { randomUUIDv7 } from 'node:crypto'

import { Schemas } from 'scimmy'
import type { Context } from 'hono'

import {
  changeScimGroup,
  createScimGroup,
  deleteScimGroup,
  findScimGroup,
  listScimGroups,
} from '../../db/scim/groups.ts'
import { DomainError } from '../../domain/errors.ts'
import type { ScimGroup } from '../../domain/scim.ts'
import { router } from '../router.ts'
import { sendList, sendResource } from './answer.ts'
import { applyOperations, readOperations, readResource } from './incoming.ts'
import { readFilter } from './filter.ts'
import { readWindow, wants } from './query.ts'
import { baseOf, getId } from './request.ts'
import type { ScimEnv } from './request.ts'
import { groupResource, readGroup } from './resources.ts'

const names = { displayname: 'display_name', externalid: 'external_id', id: 'id', members: 'member' } as const

const show = (c: Context<ScimEnv>, group: ScimGroup) => groupResource(group, baseOf(c))

const readSent = (body: unknown) => readResource((fields) => new Schemas.Group(fields, 'in'), body)

const asText = (value: string | boolean | undefined) => (value === undefined ? undefined : String(value))

/** The groups that the provider made, and those that an admin has linked to it. */
export const scimGroups = router<ScimEnv>()
  .get('/Groups', async (c) => {
    const asked = readFilter(c.req.query('filter'), names)
    const filter = {
      display_name: asText(asked.display_name),
      external_id: asText(asked.external_id),
      id: asText(asked.id),
      member: asText(asked.member),
    }
    const { startIndex, ...window } = readWindow(c.req.query())
    const with_members = wants(c.req.query(), 'members')
    const found = await listScimGroups(c.get('deps').sql, filter, { ...window, with_members })
    return sendList(c, { ...found, startIndex, resources: found.resources.map((group) => show(c, group)) })
  })
  .post('/Groups', async (c) => {
    const input = readGroup(await readSent(await c.req.json()))
    const create = { id: randomUUIDv7(), input, actor: c.get('provisioner') }
    return sendResource(c, show(c, await createScimGroup(c.get('deps').sql, create)), 201)
  })
  .get('/Groups/:id', async (c) => {
    const group = await findScimGroup(c.get('deps').sql, getId(c))
    if (group === undefined) throw new DomainError('not_found', 'There is no such group.')
    return sendResource(c, show(c, group))
  })
  .put('/Groups/:id', async (c) => {
    const input = readGroup(await readSent(await c.req.json()))
    const change = { id: getId(c), actor: c.get('provisioner'), edit: () => Promise.resolve(input) }
    return sendResource(c, show(c, await changeScimGroup(c.get('deps').sql, change)))
  })
  .patch('/Groups/:id', async (c) => {
    const operations = readOperations(await c.req.json())
    const edit = async (before: ScimGroup) => readGroup(await applyOperations(show(c, before), operations))
    const change = { id: getId(c), actor: c.get('provisioner'), edit }
    return sendResource(c, show(c, await changeScimGroup(c.get('deps').sql, change)))
  })
  .delete('/Groups/:id', async (c) => {
    await deleteScimGroup(c.get('deps').sql, { id: getId(c), actor: c.get('provisioner') })
    return c.body(null, 204)
  })
