import { createRoute, z } from '@hono/zod-openapi'

import { findRunnable } from '../../db/scripts/tasks.ts'
import { DomainError } from '../../domain/errors.ts'
import { RunId, ScriptTaskId } from '../../domain/ids.ts'
import { ScriptReplay, ScriptReplayInput } from '../../domain/script-test.ts'
import type { Run } from '../../domain/script-task.ts'
import { json, may, optionalBody, problems, router, security, WriteHeaders } from '../router.ts'
import { diffScripts } from '../script-diff.ts'

const replay = createRoute({
  method: 'post',
  path: '/scheduled-tasks/{id}/runs/{run_id}/replay',
  tags: ['Script tasks'],
  security,
  middleware: may('scripts.manage'),
  summary: 'Replay a run against the current version or a draft, and compare',
  description:
    'The script is told what the run was told, and its calls are answered as they were then: nothing is called, and a call that the run has not made fails. The replay is not kept.',
  request: {
    params: z.object({ id: ScriptTaskId, run_id: RunId }),
    headers: WriteHeaders,
    body: optionalBody(ScriptReplayInput),
  },
  responses: { 200: json(ScriptReplay, 'Both runs, and how they differ'), ...problems(403, 404, 422) },
})

const outcomeOf = ({ ended_by, result, error }: Run) =>
  [`ended by: ${ended_by}`, ...(result === null ? [] : [result]), ...(error ? [error.message] : [])].join(
    '\n',
  )

const logOf = ({ log }: Run) => log.map(({ level, text }) => `${level}: ${text}`).join('\n')

const diff = (recorded: string, replayed: string): string =>
  diffScripts({ name: 'recorded', script: recorded }, { name: 'replayed', script: replayed })

export const scriptReplays = router().openapi(replay, async (c) => {
  const { sql, scripts } = c.get('deps')
  const { id, run_id: recorded_id } = c.req.valid('param')
  const { script } = c.req.valid('json')
  const saved = await findRunnable(sql, id)
  if (saved === undefined) throw new DomainError('not_found', 'There is no such script task.')
  const task = script === undefined ? saved : { ...saved, version: 0, ...(await scripts.compile(script)) }
  const replaying = { run_id: c.get('operation_id'), recorded_id, task, actor: c.get('caller') }
  const { run, recorded, calls } = await scripts.replay(replaying)
  const differences = {
    result: diff(outcomeOf(recorded), outcomeOf(run)),
    log: diff(logOf(recorded), logOf(run)),
    calls: diff(calls.recorded.join('\n'), calls.replayed.join('\n')),
  }
  return c.json({ run, recorded, differences }, 200)
})
