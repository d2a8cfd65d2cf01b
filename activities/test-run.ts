import type { Sql } from '../db/client.ts'
import type { Caller } from '../db/directory/caller.ts'
import { readEventConfig } from '../db/scripts/deliveries.ts'
import { readTriggerConfig } from '../db/scripts/facts.ts'
import { readScheduledConfig } from '../db/scripts/grants.ts'
import { storableEnd } from '../db/scripts/runs.ts'
import { listSecretNames } from '../db/scripts/secrets.ts'
import { auditTest, findPastEvent } from '../db/scripts/tests.ts'
import { DomainError } from '../domain/errors.ts'
import { AccessRequestId, RunId, ScriptTaskId } from '../domain/ids.ts'
import { integrationEvents, triggerEvents } from '../domain/lifecycle.ts'
import type { ScriptTestInput, SampleEvent, TestedTask } from '../domain/script-test.ts'
import type { Run } from '../domain/script-task.ts'
import { createOutward } from './host-calls/outward.ts'
import { assertRequest } from './manual-run.ts'
import type { Runner } from './run-task.ts'
import { sampleConfig, sampleRequest } from './sample-events.ts'

export type TestRun = { run_id: string; task: TestedTask; input: ScriptTestInput; actor: Caller }

/** A real event of a real request, told as it was. */
async function readPastEvent(sql: Sql, request_id: string, sample: SampleEvent | undefined) {
  const event_type = integrationEvents.find((known) => known === sample)
  const trigger = triggerEvents.find((known) => known === sample) ?? 'created'
  if (event_type === undefined) return readTriggerConfig(sql, request_id, trigger)
  const event = await findPastEvent(sql, request_id, event_type)
  if (event !== undefined) return readEventConfig(sql, { event_id: event.id, event_type })
  throw new DomainError('invalid_request', 'The request has had no such event.', {
    errors: [{ pointer: '/sample', detail: 'has not happened to this request' }],
  })
}

/** Nothing was asked for: what the task itself would be told of. */
function usualEvent({ definition }: TestedTask): SampleEvent | undefined {
  if (definition.schedule_type !== 'once') return undefined
  return definition.events[0] ?? 'created'
}

function readConfig(sql: Sql, { request_id }: ScriptTestInput, sample: SampleEvent | undefined) {
  if (request_id !== undefined) return readPastEvent(sql, request_id, sample)
  return sample === undefined ? readScheduledConfig(sql, new Date().toISOString()) : sampleConfig(sample)
}

const auditOf = ({ task, actor, input }: TestRun) => ({
  task_id: task.id,
  actor,
  detail: {
    name: task.name,
    version: task.version,
    make_calls: input.make_calls,
    sample: input.sample ?? null,
    request_id: input.request_id ?? null,
    ...(task.id === null && { egress_hosts: task.definition.egress_hosts }),
  },
})

type Executed = Pick<
  Run,
  'status' | 'ended_by' | 'duration_ms' | 'cpu_ms' | 'result' | 'log' | 'error' | 'calls'
>

/** A run of which nothing is kept, as the API shows runs. */
export const unkeptRun = (
  { run_id, task }: Pick<TestRun, 'run_id' | 'task'>,
  { request_id, ...executed }: Executed & { request_id: string | undefined; started_at: string },
): Run => ({
  id: RunId.parse(run_id),
  task_id: task.id === null ? null : ScriptTaskId.parse(task.id),
  task_name: task.name,
  version: task.version,
  trigger: 'test',
  request_id: request_id === undefined ? null : AccessRequestId.parse(request_id),
  event_id: null,
  attempt: 1,
  ...executed,
  cpu_ms: executed.cpu_ms === null ? null : Math.round(executed.cpu_ms),
})

async function execute(
  sql: Sql,
  { sandbox, sealer, allow_private_egress }: Runner,
  run: TestRun,
): Promise<Run> {
  const { task, input, run_id } = run
  const { request_id, event = {}, make_calls } = input
  const sample = input.sample ?? (request_id === undefined ? usualEvent(task) : undefined)
  const config = await readConfig(sql, input, sample)
  const outward = createOutward(sql, {
    sealer,
    allow_private_egress,
    secret_names: await listSecretNames(sql),
    egress_hosts: task.definition.egress_hosts,
    request_id,
    idempotency_key: run_id,
    test: { make_calls, sample: sampleRequest(sample) },
  })
  await auditTest(sql, auditOf(run))
  const started_at = new Date().toISOString()
  const end = await sandbox.run({
    code: task.code,
    filename: `${task.name}.ts`,
    config: { ...task.definition.config, ...config, ...event },
    secrets: outward.secrets,
    handlers: outward.handlers,
    deadline_ms: task.definition.timeout_seconds * 1_000,
  })
  const { duration_ms } = end
  return unkeptRun(run, { ...storableEnd(outward.conclude(end)), duration_ms, request_id, started_at })
}

/** Tries a task or a draft, also a disabled one, on a sample or on a real request, and keeps nothing but an audit event. */
export async function testScript(sql: Sql, runner: Runner, run: TestRun): Promise<Run> {
  const { input, actor } = run
  await assertRequest(sql, { request_id: input.request_id, actor })
  return execute(sql, runner, run)
}
