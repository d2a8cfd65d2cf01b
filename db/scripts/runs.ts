import { randomUUIDv7 } from 'node:crypto'

import type { Call } from '../../domain/script-call.ts'
import type { Run } from '../../domain/script-task.ts'
import { findRow, getRow, rows } from '../client.ts'
import type { Db } from '../client.ts'
import { encodeCursor } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { RunnableTask } from './tasks.ts'

/** How a run ended, as the sandbox tells it. */
export type RunEnd = Pick<Run, 'result' | 'log' | 'error' | 'calls'> & {
  status: 'succeeded' | 'failed'
  ended_by: string
  cpu_ms: number | null
}

export type NewRun = {
  /** Given where the run was announced before it began (block runs). */
  id?: string
  task: Pick<RunnableTask, 'id' | 'name' | 'version'>
  trigger: string
  request_id?: string | undefined
  event_id?: string
  attempt?: number
}

/** Undefined: this very run has begun before, here or in a process that was lost. */
export async function beginRun(db: Db, run: NewRun): Promise<{ id: string } | undefined> {
  const { id = randomUUIDv7(), task, trigger, request_id = null, event_id = null, attempt = 1 } = run
  return findRow<{ id: string }>(db`
    insert into script_runs (id, task_id, task_name, version, trigger, request_id, event_id, attempt)
    values (${id}, ${task.id}, ${task.name}, ${task.version}, ${trigger}, ${request_id}, ${event_id}, ${attempt})
    on conflict do nothing returning id`)
}

/** Text of a script may hold anything; the database holds no NUL and no half characters. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD')

const storableCall = (call: Call): Call => ({
  ...call,
  method: storable(call.method),
  path: call.path === null ? null : storable(call.path),
  error: call.error === null ? null : storable(call.error),
})

/** More than this of one run would not be read by anybody. */
const maxLogChars = 262_144

function shorten(log: Run['log']): Run['log'] {
  let chars = 0
  const end = log.findIndex(({ text }) => (chars += text.length) > maxLogChars)
  if (end === -1) return log
  const text = `${log.length - end} more lines were not kept`
  return [...log.slice(0, end), { at_ms: log[end]?.at_ms ?? 0, level: 'warn', text }]
}

/** The end of a run in text that can be kept. */
export const storableEnd = (end: RunEnd): RunEnd => ({
  ...end,
  result: end.result === null ? null : storable(end.result),
  log: shorten(end.log).map((line) => ({ ...line, text: storable(line.text) })),
  error: end.error && { ...end.error, message: storable(end.error.message) },
  calls: end.calls.map(storableCall),
})

export async function endRun(db: Db, id: string, ended: RunEnd): Promise<void> {
  const end = storableEnd(ended)
  const { result, log, error, calls } = end
  await db`update script_runs set status = ${end.status}, ended_by = ${end.ended_by}, cpu_ms = ${round(end.cpu_ms)},
    duration_ms = extract(epoch from clock_timestamp() - started_at) * 1000,
    result = ${result}, log = ${db.json(log)},
    error = ${error === null ? null : db.json(error)}, calls = ${db.json(calls)}
    where id = ${id} and status = 'running'`
}

const round = (ms: number | null): number | null => (ms === null ? null : Math.round(ms))

/** A run that has not been executed, with the reason. */
export const refusedRun = (ended_by: string, message: string): RunEnd => ({
  status: 'failed',
  ended_by,
  cpu_ms: null,
  result: null,
  log: [],
  calls: [],
  error: { message, line: null, column: null },
})

export const lostRun = refusedRun('crashed', 'the run was lost before it could end')

/** No run takes that long, waiting for its turn included: whoever executed these is gone. */
export async function closeStaleRuns(db: Db): Promise<void> {
  await db`update script_runs set status = 'failed', ended_by = ${lostRun.ended_by},
    error = ${db.json({ ...lostRun.error })}
    where status = 'running' and started_at < clock_timestamp() - interval '75 minutes'`
}

const columns = (
  db: Db,
) => db`id, task_id, task_name, version, trigger, request_id, event_id, attempt, status, ended_by,
  started_at, duration_ms, cpu_ms, result, log, error, calls`

export function getRun(db: Db, id: string): Promise<Run> {
  return getRow<Run>(db`select ${columns(db)} from script_runs where id = ${id}`)
}

export type AttemptKey = { event_id: string; trigger: string; attempt: number; task_id?: string | undefined }

/** `task_id` is needed where several tasks are told of the same event under the same name. */
export function findAttempt(db: Db, key: AttemptKey): Promise<Run | undefined> {
  const { event_id, trigger, attempt, task_id = null } = key
  return findRow<Run>(db`
    select ${columns(db)} from script_runs where event_id = ${event_id} and trigger = ${trigger}
      and attempt = ${attempt} and (${task_id}::uuid is null or task_id = ${task_id})`)
}

/** What a page of runs may hold: a page is shorter than was asked for where its runs have much to tell. */
const maxPageBytes = 4_194_304

type Sized = { id: string; bytes: number }

const sizesOf = (db: Db, task_id: string, { after, limit }: PageRequest) =>
  rows<Sized>(db`
    select id, octet_length(log::text) + octet_length(calls::text) + coalesce(octet_length(result), 0) as bytes
    from script_runs where task_id = ${task_id} and (${after}::uuid is null or id < ${after})
    order by id desc limit ${limit + 1}`)

function countFitting(sizes: Sized[]): number {
  let bytes = 0
  const end = sizes.findIndex((run) => (bytes += run.bytes) > maxPageBytes)
  return end === -1 ? sizes.length : Math.max(end, 1)
}

/** Newest first. */
export async function listRuns(db: Db, task_id: string, page: PageRequest): Promise<Page<Run>> {
  const sizes = await sizesOf(db, task_id, page)
  const limit = Math.min(page.limit, countFitting(sizes))
  const ids = sizes.slice(0, limit).map(({ id }) => id)
  const found = await rows<Run>(db`
    select ${columns(db)} from script_runs where id = any (${ids}::uuid[]) order by id desc`)
  const last = ids.at(-1)
  return { data: found, next_cursor: sizes.length > limit && last ? encodeCursor('runs', last) : null }
}
