import { createRoute, z } from '@hono/zod-openapi'

import { findRunnable } from '../../db/scripts/tasks.ts'
import { DomainError } from '../../domain/errors.ts'
import { ScriptTaskId } from '../../domain/ids.ts'
import { ScriptDraftTestInput, ScriptTestInput } from '../../domain/script-test.ts'
import { Run } from '../../domain/script-task.ts'
import { body, json, may, optionalBody, problems, router, security, WriteHeaders } from '../router.ts'

const path = '/scheduled-tasks'
const params = z.object({ id: ScriptTaskId })
const common = { tags: ['Script tasks'], security, middleware: may('scripts.manage') }
const description =
  'On a `sample` event, or on the facts of the request `request_id`; `event` adds to them. Outward calls are written down in `calls` and answered with an empty 200, and not made unless `make_calls` is true. The run is not kept.'

const testDraft = createRoute({
  ...common,
  method: 'post',
  path: `${path}/test`,
  summary: 'Try a script task that is not saved',
  description,
  request: { headers: WriteHeaders, body: body(ScriptDraftTestInput) },
  responses: { 200: json(Run, 'The finished run, whichever way it ended'), ...problems(403, 422) },
})

const test = createRoute({
  ...common,
  method: 'post',
  path: `${path}/{id}/test`,
  summary: 'Try a script task',
  description,
  request: { params, headers: WriteHeaders, body: optionalBody(ScriptTestInput) },
  responses: { 200: json(Run, 'The finished run, whichever way it ended'), ...problems(403, 404, 422) },
})

export const scriptTests = router()
  .openapi(testDraft, async (c) => {
    const { scripts } = c.get('deps')
    const { event, request_id, sample, make_calls, ...definition } = c.req.valid('json')
    const { code } = await scripts.compile(definition.script)
    const task = { id: null, name: definition.name, version: 0, code, definition }
    const input = { event, request_id, sample, make_calls }
    return c.json(
      await scripts.test({ run_id: c.get('operation_id'), task, input, actor: c.get('caller') }),
      200,
    )
  })
  .openapi(test, async (c) => {
    const { sql, scripts } = c.get('deps')
    const input = c.req.valid('json')
    const task = await findRunnable(sql, c.req.valid('param').id)
    if (task === undefined) throw new DomainError('not_found', 'There is no such script task.')
    return c.json(
      await scripts.test({ run_id: c.get('operation_id'), task, input, actor: c.get('caller') }),
      200,
    )
  })
