import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { deleteGroupMapping, putGroupMapping } from '../../db/directory/group-mappings.ts'
import { createGroup, deleteGroup, findGroup, listGroups, replaceGroup } from '../../db/directory/groups.ts'
import { deleteMembership, listMembers, membersOf, putMembership } from '../../db/directory/memberships.ts'
import { Group, GroupInput, Membership, MembershipInput } from '../../domain/directory.ts'
import { DomainError } from '../../domain/errors.ts'
import { GroupId, IdentityId, MappingId } from '../../domain/ids.ts'
import { sendVersioned } from '../etag.ts'
import { pageOf, router } from '../router.ts'
import type { Env } from '../router.ts'
import {
  createRouteOf,
  deleteRoute,
  editRoute,
  getRoute,
  linkRoute,
  listRoute,
  noParams,
  sendCreated,
  writeOf,
} from './directory.ts'

const path = '/groups'
const one = '/groups/{id}'
const permission = 'directory.manage'
const params = z.object({ id: GroupId })
const list = listRoute({ path, params: noParams, item: Group, summary: 'List groups' })
const create = createRouteOf({
  permission,
  path,
  params: noParams,
  input: GroupInput,
  item: Group,
  summary: 'Create a group',
})
const get = getRoute({ path: one, params, item: Group, summary: 'Get a group' })
const replace = editRoute({
  permission,
  method: 'put',
  path: one,
  params,
  input: GroupInput,
  item: Group,
  summary: 'Replace a group',
})
const remove = deleteRoute({
  permission,
  path: one,
  params,
  summary: 'Delete a group that nothing refers to',
})

const listMembersRoute = listRoute({
  path: '/groups/{id}/members',
  params,
  item: Membership,
  summary: 'List who belongs to a group now',
})
const member = {
  path: '/groups/{id}/members/{identity_id}' as const,
  params: params.extend({ identity_id: IdentityId }),
}
const addMember = linkRoute({
  permission,
  ...member,
  input: MembershipInput,
  summary: 'Add a member, or change when its membership ends',
})
const removeMember = deleteRoute({ permission, ...member, summary: 'Remove a member' })

const mapping = {
  path: '/groups/{id}/mappings/{mapping_id}' as const,
  params: params.extend({ mapping_id: MappingId }),
}
const addMapping = linkRoute({
  permission: 'applications.manage',
  ...mapping,
  input: z.strictObject({}),
  summary: 'Give the members of a group a standing entitlement',
})
const removeMapping = deleteRoute({
  permission: 'applications.manage',
  ...mapping,
  summary: 'Take a standing entitlement from a group',
})

async function getGroup(c: Context<Env>, id: string) {
  const found = await findGroup(c.get('deps').sql, id, c.get('caller'))
  if (found === undefined) throw new DomainError('not_found', 'There is no such group.')
  return found
}

export const groups = router()
  .openapi(list, async (c) => {
    const page = pageOf('groups', c.req.valid('query'))
    return c.json(await listGroups(c.get('deps').sql, c.get('caller'), page), 200)
  })
  .openapi(create, async (c) => {
    const save = { id: c.get('operation_id'), input: c.req.valid('json'), actor: c.get('caller') }
    return sendCreated(c, path, await createGroup(c.get('deps').sql, save))
  })
  .openapi(get, async (c) => sendVersioned(c, await getGroup(c, c.req.valid('param').id)))
  .openapi(replace, async (c) => {
    const save = { ...c.req.valid('param'), input: c.req.valid('json'), ...writeOf(c) }
    return sendVersioned(c, await replaceGroup(c.get('deps').sql, save))
  })
  .openapi(remove, async (c) => {
    await deleteGroup(c.get('deps').sql, { ...c.req.valid('param'), ...writeOf(c) })
    return c.body(null, 204)
  })
  .openapi(listMembersRoute, async (c) => {
    const { id } = c.req.valid('param')
    const page = pageOf(membersOf(id), c.req.valid('query'))
    await getGroup(c, id)
    return c.json(await listMembers(c.get('deps').sql, id, page), 200)
  })
  .openapi(addMember, async (c) => {
    const { id: group_id, identity_id } = c.req.valid('param')
    const { expires_at = null } = c.req.valid('json')
    await putMembership(c.get('deps').sql, { group_id, identity_id, expires_at, ...writeOf(c) })
    return c.body(null, 204)
  })
  .openapi(removeMember, async (c) => {
    const { id: group_id, identity_id } = c.req.valid('param')
    await deleteMembership(c.get('deps').sql, { group_id, identity_id, ...writeOf(c) })
    return c.body(null, 204)
  })
  .openapi(addMapping, async (c) => {
    const { id: group_id, mapping_id } = c.req.valid('param')
    await putGroupMapping(c.get('deps').sql, { group_id, mapping_id, ...writeOf(c) })
    return c.body(null, 204)
  })
  .openapi(removeMapping, async (c) => {
    const { id: group_id, mapping_id } = c.req.valid('param')
    await deleteGroupMapping(c.get('deps').sql, { group_id, mapping_id, ...writeOf(c) })
    return c.body(null, 204)
  })
