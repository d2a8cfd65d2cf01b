import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { Run, ScriptTask } from '../../domain/script-task.ts'
import { levels } from '../../sandbox/walls/levels.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
let admin: Caller

// The weakest level is there on every machine: a minimum above it is always a minimum above the machine's level.
beforeAll(async () => {
  it = await startTestProduct({ sandbox_min_level: 'limits', sandbox: { levels: levels.slice(-1) } })
  admin = await it.as('admin')
})
afterAll(() => it.close())

const refusal =
  'scripts that can block an approval need the isolation level limits (SANDBOX_MIN_LEVEL), and this machine allows process only'

test('a block script below the minimum is not run: the approval is refused with the reason, every other run goes on', async () => {
  const [alice, bob] = [await it.as('alice'), await it.as('bob')]
  const { body: task } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', {
    name: randomUUID(),
    script: `export const run = () => { log('it ran'); return 'fine' }`,
  })
  const block = { trigger_task_id: task.id, trigger_task_failure_mode: 'block' }
  const request = await submit(alice, (await it.template(block)).id)

  const answer = await bob.call('POST', `/access-requests/${request.id}/approve`)
  expect(answer).toMatchObject({ status: 409, body: { code: 'trigger_task_blocked', run_message: refusal } })
  expect((await getRequest(alice, request.id)).status).toBe('pending')
  const runs = await eventually('both runs', async () => {
    const ended = await rows<Run>(it.sql`
      select * from script_runs where request_id = ${request.id} and status <> 'running' order by trigger`)
    return ended.length === 2 && ended
  })
  expect(runs).toMatchObject([
    {
      id: answer.body['run_id'],
      trigger: 'approved',
      status: 'failed',
      ended_by: 'invalid',
      error: { message: refusal },
      log: [],
      result: null,
    },
    { trigger: 'created', status: 'succeeded', result: 'fine' },
  ])
  const byHand = await admin.call('POST', `/scheduled-tasks/${task.id}/run`, {})
  expect(byHand.body).toMatchObject({ status: 'succeeded', result: 'fine' })
})

test('the API tells admins the level, the minimum and the walls, and nobody else', async () => {
  const { status, body } = await admin.call('GET', '/sandbox')
  expect(status).toBe(200)
  expect(body).toEqual({
    level: 'process',
    minimum: 'limits',
    walls_standing: expect.arrayContaining(['isolate with a memory limit']),
    walls_missing: expect.arrayContaining(['network namespace', 'resource limits']),
    block_allowed: false,
    block_refusal: refusal,
  })
  const alice = await it.as('alice')
  expect(await alice.call('GET', '/sandbox')).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  expect((await fetch(`${it.url}/api/v1/sandbox`)).status).toBe(401)
})

test('readyz tells the level, and to who asks for more the walls, those that are missing and the refusal', async () => {
  const sandboxOf = async (path: string) => {
    const answer = (await (await fetch(`${it.url}${path}`)).json()) as { parts: { name: string }[] }
    return answer.parts.find(({ name }) => name === 'sandbox')
  }
  expect(await sandboxOf('/readyz')).toEqual({ name: 'sandbox', ok: true, detail: 'process' })
  expect(await sandboxOf('/readyz?verbose')).toMatchObject({
    level: 'process',
    walls: expect.arrayContaining(['isolate with a memory limit']),
    missing: expect.arrayContaining(['network namespace', 'resource limits']),
    block_refusal: refusal,
  })
})
