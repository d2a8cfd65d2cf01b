import { createRoute, z } from '@hono/zod-openapi'

import { replaceTask } from '../../db/scripts/tasks.ts'
import { getDefinition, getVersion, listVersions } from '../../db/scripts/versions.ts'
import { DomainError, pointerTo } from '../../domain/errors.ts'
import { ScriptTaskId } from '../../domain/ids.ts'
import { ScriptTask, ScriptTaskDiff, ScriptTaskInput, ScriptTaskVersion } from '../../domain/script-task.ts'
import { readIfMatch, sendVersioned } from '../etag.ts'
import {
  ConditionalHeaders,
  json,
  listOf,
  may,
  pageOf,
  PageQuery,
  problems,
  router,
  security,
} from '../router.ts'
import { diffScripts, diffSettings } from '../script-diff.ts'

const path = '/scheduled-tasks/{id}/versions'
const params = z.object({ id: ScriptTaskId })
const Version = z.coerce.number().int().min(1).max(999_999_999)
const versionParams = params.extend({ version: Version })
const common = { tags: ['Script tasks'], security, middleware: may('scripts.manage') }

const list = createRoute({
  ...common,
  method: 'get',
  path,
  summary: 'The versions of a script task, newest first',
  request: { params, query: PageQuery },
  responses: { 200: json(listOf(ScriptTaskVersion), 'A page of versions'), ...problems(403, 404, 422) },
})

const get = createRoute({
  ...common,
  method: 'get',
  path: `${path}/{version}`,
  summary: 'Get a version of a script task',
  request: { params: versionParams },
  responses: { 200: json(ScriptTaskVersion, 'The version'), ...problems(403, 404) },
})

const diff = createRoute({
  ...common,
  method: 'get',
  path: `${path}/{version}/diff`,
  summary: 'What a version changes',
  description:
    'Compared with the version `against`: by default the one before, and the first one with nothing.',
  request: { params: versionParams, query: z.object({ against: Version.optional() }) },
  responses: { 200: json(ScriptTaskDiff, 'What differs'), ...problems(403, 404, 422) },
})

const revert = createRoute({
  ...common,
  method: 'post',
  path: `${path}/{version}/revert`,
  summary: 'Go back to a version: a new one that equals it',
  request: { params: versionParams, headers: ConditionalHeaders },
  responses: { 200: json(ScriptTask, 'Saved'), ...problems(403, 404, 409, 412, 422) },
})

/** What was allowed when it was saved may not be any more. */
function asInput(definition: unknown): ScriptTaskInput {
  const { success, data, error } = ScriptTaskInput.safeParse(definition)
  if (success) return data
  throw new DomainError('invalid_request', 'The version is not valid any more: save it with changes.', {
    errors: error.issues.map(({ path: at, message }) => ({ pointer: pointerTo(at), detail: message })),
  })
}

export const scriptVersions = router()
  .openapi(list, async (c) => {
    const page = pageOf('versions', c.req.valid('query'))
    return c.json(await listVersions(c.get('deps').sql, c.req.valid('param').id, page), 200)
  })
  .openapi(get, async (c) => c.json(await getVersion(c.get('deps').sql, c.req.valid('param')), 200))
  .openapi(diff, async (c) => {
    const { sql } = c.get('deps')
    const { id: task_id, version } = c.req.valid('param')
    const against = c.req.valid('query').against ?? (version > 1 ? version - 1 : null)
    const to = await getDefinition(sql, { id: task_id, version })
    const from = against === null ? null : await getDefinition(sql, { id: task_id, version: against })
    const script = diffScripts(
      { name: against === null ? '/dev/null' : `version ${against}`, script: from?.script ?? '' },
      { name: `version ${version}`, script: to.script },
    )
    return c.json({ task_id, version, against, script, settings: diffSettings(from ?? {}, to) }, 200)
  })
  .openapi(revert, async (c) => {
    const { sql, scripts } = c.get('deps')
    const { id, version } = c.req.valid('param')
    const input = asInput(await getDefinition(sql, { id, version }))
    const { code } = await scripts.compile(input.script)
    const save = { id, input, code, actor: c.get('caller'), precondition: readIfMatch(c) }
    return sendVersioned(c, await replaceTask(sql, save))
  })
