import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { readFile } from 'node:fs/promises'

import { findRow } from '../../db/client.ts'
import type { ScriptTask } from '../../domain/script-task.ts'
import { taskSchedulePrefix, triggerWorkflowId, workflowId } from '../../workflows/contract.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { fastForward } from '../setup/temporal.ts'

/**
 * Histories of requests that live on real servers have to replay under every later version of the workflows. One file
 * for each path; `RECORD_HISTORIES=1` writes those that are missing, and none is ever edited.
 */
const folder = path.resolve(import.meta.dirname, '../histories')
const isRecording = process.env.RECORD_HISTORIES === '1'

/** Stacks name files by where they lie in the project, whoever records. */
const withoutPaths = (json: string) => json.replaceAll(`${path.resolve(import.meta.dirname, '../..')}/`, '')

let it: TestProduct
let alice: Caller
let bob: Caller
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, bob, admin] = (await Promise.all(['alice', 'bob', 'admin'].map(it.as))) as [Caller, Caller, Caller]
})
afterAll(() => it.close())

const post = (caller: Caller, path: string, body?: unknown) => caller.call('POST', path, body)
const decide = (caller: Caller, verb: string, id: string) => post(caller, `/access-requests/${id}/${verb}`)
const skip = (id: string, mins: number) => fastForward(it.client, workflowId(id), mins * 60_000)

async function blockedBy(script: string): Promise<{ id: string; task: ScriptTask }> {
  const { body: task } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', {
    name: crypto.randomUUID(),
    script,
  })
  const template = await it.template({ trigger_task_id: task.id, trigger_task_failure_mode: 'block' })
  const { id } = await submit(alice, template.id)
  return { id, task }
}

const lasts = 'export const run = () => { const end = Date.now() + 1000; while (Date.now() < end); }'

/** Each leads a request along one path and answers with the id of the workflow that went it. */
const paths: Record<string, () => Promise<string>> = {
  'approved-revoked': async () => {
    const { id } = await submit(alice, (await it.template()).id)
    await decide(bob, 'approve', id)
    await decide(bob, 'revoke', id)
    return workflowId(id)
  },
  denied: async () => {
    const { id } = await submit(alice, (await it.template()).id)
    await decide(bob, 'deny', id)
    return workflowId(id)
  },
  cancelled: async () => {
    const { id } = await submit(alice, (await it.template()).id)
    await decide(alice, 'revoke', id)
    return workflowId(id)
  },
  'escalated-approved-expired': async () => {
    const { id } = await submit(alice, (await it.template()).id)
    await skip(id, 31)
    await decide(bob, 'approve', id)
    await skip(id, 100)
    return workflowId(id)
  },
  'auto-approved-revoked': async () => {
    const { id } = await submit(alice, (await it.template({ auto_approve: true })).id)
    await decide(alice, 'revoke', id)
    return workflowId(id)
  },
  'blocked-mended-approved': async () => {
    const { id, task } = await blockedBy('export const run = () => { throw new Error("no") }')
    await decide(bob, 'approve', id)
    await admin.call('PUT', `/scheduled-tasks/${task.id}`, {
      name: task.name,
      script: 'export const run = () => "yes"',
    })
    await decide(bob, 'approve', id)
    await decide(alice, 'revoke', id)
    return workflowId(id)
  },
  'denied-in-block-run': async () => {
    const { id } = await blockedBy(lasts)
    const approval = decide(bob, 'approve', id)
    await eventually('the run', async () =>
      (await getRequest(admin, id)).timeline.some(({ detail }) => detail.status === 'running'),
    )
    await decide(await it.as('dana'), 'deny', id)
    await approval
    return workflowId(id)
  },
  'poked-after-an-end-elsewhere': async () => {
    const { id } = await submit(alice, (await it.template()).id)
    await admin.call('PATCH', `/identities/${alice.id}`, { status: 'disabled' })
    await it.client.workflow.getHandle(workflowId(id)).signal('poke')
    await admin.call('PATCH', `/identities/${alice.id}`, { status: 'active' })
    return workflowId(id)
  },
  'trigger-retried': async () => {
    const script = 'export const run = () => { throw new Error("no") }'
    const { body: task } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', {
      name: crypto.randomUUID(),
      script,
      max_retries: 1,
    })
    const template = await it.template({ trigger_task_id: task.id, trigger_task_failure_mode: 'retry' })
    const { id } = await submit(alice, template.id)
    return triggerWorkflowId(id, 'created')
  },
  'scheduled-retried': async () => {
    const script = 'export const run = () => { throw new Error("no") }'
    const input = { name: crypto.randomUUID(), script, max_retries: 1 }
    const schedule = { schedule_type: 'interval', interval_seconds: 31_536_000 }
    const { body: task } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', { ...input, ...schedule })
    const handle = it.client.schedule.getHandle(`${taskSchedulePrefix}${task.id}`)
    await eventually('the schedule', () =>
      handle.trigger().then(
        () => true,
        () => undefined,
      ),
    )
    const { workflow } = await eventually(
      'the firing',
      async () => (await handle.describe()).info.recentActions[0]?.action,
    )
    await handle.delete()
    return workflow.workflowId
  },
  'delivery-retried': () => deliver('export const run = () => { throw new Error("no") }', 1),
  'delivery-succeeded': () => deliver('export const run = () => config.get("event.id")', 0),
}

/** The id of the workflow that tells a script of a denial. */
async function deliver(script: string, max_retries: number): Promise<string> {
  const events = ['access_request.denied']
  const input = { name: crypto.randomUUID(), script, max_retries, events }
  await post(admin, '/scheduled-tasks', input)
  const { id } = await submit(alice, (await it.template()).id)
  await decide(bob, 'deny', id)
  const { event_id } = await eventually('the delivery', () =>
    findRow<{ event_id: string }>(it.sql`select event_id from deliveries where request_id = ${id}
      and workflow_id like ${`integration/${input.name}/%`}`),
  )
  return `integration/${input.name}/${event_id}`
}

type Replayed = { workflowId: string; history: unknown }

async function replay(histories: Replayed[]): Promise<string[]> {
  const code = await readFile(inject('servers').workflow_bundle, 'utf8')
  const failures: string[] = []
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: { code } },
    histories,
  )) {
    if (error) failures.push(`${workflowId}: ${error.message}`)
  }
  return failures
}

describe('histories replay', { timeout: 120_000 }, () => {
  test.each(Object.keys(paths))('of a request that goes the path %s, as it was just made', async (name) => {
    const id = (await paths[name]?.()) ?? ''
    const handle = it.client.workflow.getHandle(id)
    await eventually(
      'the end of the workflow',
      // a trigger's may not have been started yet
      async () => ((await handle.describe().catch(() => undefined))?.status.name ?? 'RUNNING') !== 'RUNNING',
      60_000,
    )
    const json = historyToJSON(await handle.fetchHistory())
    if (isRecording) writeFileSync(path.join(folder, `${name}.json`), withoutPaths(json), { flag: 'wx' })
    expect(await replay([{ workflowId: id, history: JSON.parse(json) }])).toEqual([])
  })

  const stored = readdirSync(folder).filter((file) => file.endsWith('.json'))

  test('for every path there is a stored one', () => {
    expect(stored.map((file) => file.replace('.json', '')).sort()).toEqual(Object.keys(paths).sort())
  })

  test.each(stored)('of earlier versions: %s', async (file) => {
    const history: unknown = JSON.parse(readFileSync(path.join(folder, file), 'utf8'))
    expect(await replay([{ workflowId: 'access-request/stored', history }])).toEqual([])
  })

  test('a history that the workflows could not have made is refused', async () => {
    const file = path.join(folder, 'denied.json')
    const broken: unknown = JSON.parse(
      readFileSync(file, 'utf8').replaceAll('loadRequest', 'loadSomethingElse'),
    )
    expect(await replay([{ workflowId: 'access-request/broken', history: broken }])).toHaveLength(1)
  })

  test('no history holds what people wrote about a request', () => {
    const words = ['The incident.', 'justification', 'custom_answers', 'comment']
    const texts = stored.map((file) => readFileSync(path.join(folder, file), 'utf8'))
    const decoded = texts.map((text) =>
      text.replaceAll(/"data": ?"([A-Za-z0-9+/=]+)"/g, (_, data: string) =>
        Buffer.from(data, 'base64').toString(),
      ),
    )
    expect(words.filter((word) => decoded.some((text) => text.includes(word)))).toEqual([])
  })
})
