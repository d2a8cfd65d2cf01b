import { randomUUIDv7 } from 'node:crypto'

import { Schemas } from 'scimmy'
import type { Context } from 'hono'

import {
  changeScimUser,
  createScimUser,
  deleteScimUser,
  findScimUser,
  listScimUsers,
} from '../../db/scim/users.ts'
import { DomainError } from '../../domain/errors.ts'
import type { ScimUser } from '../../domain/scim.ts'
import { router } from '../router.ts'
import { sendList, sendResource } from './answer.ts'
import { applyOperations, readFields, readOperations, readResource } from './incoming.ts'
import { asId, asText, readFilter } from './filter.ts'
import { readWindow } from './query.ts'
import { readUser, userDocument, userResource } from './resources.ts'
import { baseOf, getId } from './request.ts'
import type { ScimEnv } from './request.ts'

/** The one address of a user is its `userName`. */
const names = {
  username: 'user_name',
  emails: 'user_name',
  externalid: 'external_id',
  id: 'id',
  active: 'is_active',
} as const

const show = (c: Context<ScimEnv>, user: ScimUser) => userDocument(user, baseOf(c))

const readSent = (body: unknown) => readResource((fields) => new Schemas.User(fields, 'in'), readFields(body))

/** People, whoever made them; machines are none. Deleting disables: identities are never deleted. */
export const scimUsers = router<ScimEnv>()
  .get('/Users', async (c) => {
    const { user_name, external_id, id, is_active } = readFilter(c.req.query('filter'), names)
    const filter = {
      user_name: asText(user_name),
      external_id: asText(external_id),
      id: asId(id),
      is_active: is_active === undefined ? undefined : /^true$/i.test(String(is_active)),
    }
    const { startIndex, ...window } = readWindow(c.req.query())
    const { total, resources } = await listScimUsers(c.get('deps').sql, filter, window)
    return sendList(c, { total, startIndex, resources: resources.map((user) => show(c, user)) })
  })
  .post('/Users', async (c) => {
    const input = readUser(await readSent(await c.req.json()))
    const create = { id: randomUUIDv7(), input, actor: c.get('provisioner') }
    return sendResource(c, show(c, await createScimUser(c.get('deps').sql, create)), 201)
  })
  .get('/Users/:id', async (c) => {
    const user = await findScimUser(c.get('deps').sql, getId(c))
    if (user === undefined) throw new DomainError('not_found', 'There is no such user.')
    return sendResource(c, show(c, user))
  })
  .put('/Users/:id', async (c) => {
    const sent = await readSent(await c.req.json())
    const edit = (before: ScimUser) => Promise.resolve(readUser(sent, before))
    const change = { id: getId(c), actor: c.get('provisioner'), edit }
    return sendResource(c, show(c, await changeScimUser(c.get('deps').sql, change)))
  })
  .patch('/Users/:id', async (c) => {
    const operations = readOperations(await c.req.json())
    const edit = async (before: ScimUser) =>
      readUser(await applyOperations(userResource(before, baseOf(c)), operations), before)
    const change = { id: getId(c), actor: c.get('provisioner'), edit }
    return sendResource(c, show(c, await changeScimUser(c.get('deps').sql, change)))
  })
  .delete('/Users/:id', async (c) => {
    await deleteScimUser(c.get('deps').sql, { id: getId(c), actor: c.get('provisioner') })
    return c.body(null, 204)
  })
