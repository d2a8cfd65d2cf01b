import { createRoute, z } from '@hono/zod-openapi'

import { listRuns } from '../../db/scripts/runs.ts'
import { createTask, deleteTask, findTask, listTasks, replaceTask } from '../../db/scripts/tasks.ts'
import { DomainError } from '../../domain/errors.ts'
import { ScriptTaskId } from '../../domain/ids.ts'
import { Run, RunInput, ScriptTask, ScriptTaskInput } from '../../domain/script-task.ts'
import { readIfMatch, sendVersioned } from '../etag.ts'
import {
  body,
  ConditionalHeaders,
  created,
  json,
  listOf,
  may,
  optionalBody,
  pageOf,
  PageQuery,
  problems,
  router,
  security,
  WriteHeaders,
} from '../router.ts'

const path = '/scheduled-tasks'
const params = z.object({ id: ScriptTaskId })
const common = { tags: ['Script tasks'], security, middleware: may('scripts.manage') }

const list = createRoute({
  ...common,
  method: 'get',
  path,
  summary: 'List script tasks',
  request: { query: PageQuery },
  responses: { 200: json(listOf(ScriptTask), 'Script tasks, oldest first'), ...problems(403, 422) },
})

const get = createRoute({
  ...common,
  method: 'get',
  path: `${path}/{id}`,
  summary: 'Get a script task',
  request: { params },
  responses: { 200: json(ScriptTask, 'The task; its ETag is its version'), ...problems(403, 404) },
})

const create = createRoute({
  ...common,
  method: 'post',
  path,
  summary: 'Create a script task',
  description:
    'The script is JavaScript or TypeScript: an ES module that exports `run`. One that does not compile is refused.',
  request: { headers: WriteHeaders, body: body(ScriptTaskInput) },
  responses: { 201: created(ScriptTask, 'Created'), ...problems(403, 409, 422) },
})

const replace = createRoute({
  ...common,
  method: 'put',
  path: `${path}/{id}`,
  summary: 'Save a new version of a script task',
  request: { params, headers: ConditionalHeaders, body: body(ScriptTaskInput) },
  responses: { 200: json(ScriptTask, 'Saved'), ...problems(403, 404, 409, 412, 422) },
})

const remove = createRoute({
  ...common,
  method: 'delete',
  path: `${path}/{id}`,
  summary: 'Delete a script task that nothing uses',
  request: { params, headers: ConditionalHeaders },
  responses: { 204: { description: 'Deleted' }, ...problems(403, 404, 409, 412) },
})

const run = createRoute({
  ...common,
  method: 'post',
  path: `${path}/{id}/run`,
  summary: 'Run a script task now, and wait for it',
  description: 'With `request_id`: on the facts of that request. `event` adds to them, or stands for them.',
  request: { params, headers: WriteHeaders, body: optionalBody(RunInput) },
  responses: { 200: json(Run, 'The finished run, whichever way it ended'), ...problems(403, 404, 422) },
})

const runs = createRoute({
  ...common,
  method: 'get',
  path: `${path}/{id}/runs`,
  summary: 'The runs of a script task, newest first',
  request: { params, query: PageQuery },
  responses: { 200: json(listOf(Run), 'A page of runs'), ...problems(403, 404, 422) },
})

const missing = () => new DomainError('not_found', 'There is no such script task.')

export const scriptTasks = router()
  .openapi(list, async (c) => {
    const page = pageOf('scheduled-tasks', c.req.valid('query'))
    return c.json(await listTasks(c.get('deps').sql, page), 200)
  })
  .openapi(get, async (c) => {
    const task = await findTask(c.get('deps').sql, c.req.valid('param').id)
    if (task === undefined) throw missing()
    return sendVersioned(c, task)
  })
  .openapi(create, async (c) => {
    const { sql, scripts } = c.get('deps')
    const id = c.get('operation_id')
    const input = c.req.valid('json')
    const { code } = await scripts.compile(input.script)
    const { resource, version } = await createTask(sql, { id, input, code, actor: c.get('caller') })
    return c.json(resource, 201, { location: `/api/v1${path}/${id}`, etag: `"${version}"` })
  })
  .openapi(replace, async (c) => {
    const { sql, scripts } = c.get('deps')
    const { id } = c.req.valid('param')
    const input = c.req.valid('json')
    const { code } = await scripts.compile(input.script)
    const save = { id, input, code, actor: c.get('caller'), precondition: readIfMatch(c) }
    return sendVersioned(c, await replaceTask(sql, save))
  })
  .openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    await deleteTask(c.get('deps').sql, { id, actor: c.get('caller'), precondition: readIfMatch(c) })
    return c.body(null, 204)
  })
  .openapi(run, async (c) => {
    const { id } = c.req.valid('param')
    const { event = {}, request_id } = c.req.valid('json')
    const [run_id, actor] = [c.get('operation_id'), c.get('caller')]
    const by_hand = { run_id, task_id: id, event, request_id, actor }
    return c.json(await c.get('deps').scripts.run(by_hand), 200)
  })
  .openapi(runs, async (c) => {
    const { id } = c.req.valid('param')
    return c.json(await listRuns(c.get('deps').sql, id, pageOf('runs', c.req.valid('query'))), 200)
  })
