import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { diffScripts } from '../../api/script-diff.ts'
import type { ScriptTask, ScriptTaskDiff, ScriptTaskVersion } from '../../domain/script-task.ts'
import { startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
let alice: Caller
let admin: Caller
let three: ScriptTask

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, admin] = (await Promise.all(['alice', 'admin'].map(it.as))) as [Caller, Caller]
  three = await saveThree()
})
afterAll(() => it.close())

const script = (word: string) => `// first\n// second\nexport const run = () => '${word}'\n`

/** A task whose versions say one, two, three; the second has other settings as well. */
async function saveThree(): Promise<ScriptTask> {
  const name = `Task ${randomUUID()}`
  const { body } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', { name, script: script('one') })
  const change = (input: Record<string, unknown>) =>
    admin.call<ScriptTask>('PUT', `/scheduled-tasks/${body.id}`, { name, ...input })
  await change({ script: script('two'), max_retries: 7, config: { colour: 'blue' } })
  return (await change({ script: script('three') })).body
}

const get = <Body>({ id }: ScriptTask, rest: string, caller = admin) =>
  caller.call<Body & { code: string }>('GET', `/scheduled-tasks/${id}/versions${rest}`)

const revert = ({ id }: ScriptTask, version: number | string, headers: Record<string, string> = {}) =>
  admin.call<ScriptTask & { code: string }>(
    'POST',
    `/scheduled-tasks/${id}/versions/${version}/revert`,
    undefined,
    headers,
  )

describe('a version', () => {
  test('can be read for ever, by its number', async () => {
    const { status, body } = await get<ScriptTaskVersion>(three, '/2')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      task_id: three.id,
      version: 2,
      script: script('two'),
      max_retries: 7,
      created_by: admin.id,
    })
  })

  test.each(['/4', '/0', '/-1', '/latest', '/1.5', '/99999999999'])(
    'that is not there is 404: %s',
    async (rest) => {
      expect(await get(three, rest)).toMatchObject({ status: 404, body: { code: 'not_found' } })
    },
  )

  test('is nobody’s business but the admins’', async () => {
    expect((await get(three, '/1', alice)).status).toBe(403)
    expect((await get(three, '/2/diff', alice)).status).toBe(403)
    expect((await alice.call('POST', `/scheduled-tasks/${three.id}/versions/1/revert`)).status).toBe(403)
  })
})

describe('a diff', () => {
  test('is against the version before, in unified text and by setting', async () => {
    const { body } = await get<ScriptTaskDiff>(three, '/2/diff')
    expect(body).toMatchObject({ version: 2, against: 1 })
    expect(body.script.split('\n')).toEqual([
      '--- version 1',
      '+++ version 2',
      '@@ -1,3 +1,3 @@',
      ' // first',
      ' // second',
      `-export const run = () => 'one'`,
      `+export const run = () => 'two'`,
      '',
    ])
    expect(body.settings).toEqual([
      { name: 'config', from: {}, to: { colour: 'blue' } },
      { name: 'max_retries', from: 3, to: 7 },
    ])
  })

  test('can be against any other, also a later one', async () => {
    const { body } = await get<ScriptTaskDiff>(three, '/1/diff?against=3')
    expect(body).toMatchObject({ version: 1, against: 3, settings: [] })
    expect(body.script).toContain(`-export const run = () => 'three'\n+export const run = () => 'one'`)
    expect((await get<ScriptTaskDiff>(three, '/3/diff?against=3')).body).toMatchObject({
      script: '',
      settings: [],
    })
  })

  test('of the first version is all of it', async () => {
    const { body } = await get<ScriptTaskDiff>(three, '/1/diff')
    expect(body.against).toBe(null)
    expect(body.script).toContain('--- /dev/null\n+++ version 1\n@@ -0,0 +1,3 @@\n+// first')
    expect(body.settings).toContainEqual({ name: 'enabled', from: null, to: true })
  })

  test.each([
    ['/2/diff?against=9', 404],
    ['/9/diff', 404],
    ['/2/diff?against=0', 422],
    ['/2/diff?against=one', 422],
  ])('%s is refused', async (rest, status) => {
    expect((await get(three, rest)).status).toBe(status)
  })

  test('of two long scripts that have nothing in common is given up for the whole of both', () => {
    const long = (seed: number) =>
      Array.from({ length: 30_000 }, (_, index) => `${(index * seed) % 99_991}`).join('\n')
    const began = Date.now()
    const text = diffScripts({ name: 'a', script: long(7) }, { name: 'b', script: long(11) })
    expect(Date.now() - began).toBeLessThan(5_000)
    expect(text.startsWith('--- a\n+++ b\n')).toBe(true)
  })
})

describe('a revert', () => {
  test('saves a new version that equals the old one, which then runs', async () => {
    const task = await saveThree()
    const { status, body, headers } = await revert(task, 2)
    expect(status).toBe(200)
    expect(headers.get('etag')).toBe('"4"')
    expect(body).toMatchObject({
      version: 4,
      script: script('two'),
      max_retries: 7,
      config: { colour: 'blue' },
    })
    expect((await get<ScriptTaskDiff>(task, '/4/diff?against=2')).body).toMatchObject({
      script: '',
      settings: [],
    })
    const run = await admin.call('POST', `/scheduled-tasks/${task.id}/run`)
    expect(run.body).toMatchObject({ version: 4, result: 'two' })
  })

  test('is refused where somebody has saved meanwhile', async () => {
    const task = await saveThree()
    expect(await revert(task, 1, { 'if-match': '"2"' })).toMatchObject({
      status: 412,
      body: { code: 'precondition_failed' },
    })
    expect((await revert(task, 1, { 'if-match': '"3"' })).status).toBe(200)
  })

  test('is refused to a version that is not there, or was never saved', async () => {
    const task = await saveThree()
    expect((await revert(task, 4)).status).toBe(404)
    expect((await revert(task, 'latest')).status).toBe(404)
    expect((await revert({ ...task, id: randomUUID() as ScriptTask['id'] }, 1)).status).toBe(404)
  })

  test('is refused to a name that another task has by now', async () => {
    const task = await saveThree()
    const renamed = { name: `Task ${randomUUID()}`, script: script('four') }
    await admin.call('PUT', `/scheduled-tasks/${task.id}`, renamed)
    await admin.call('POST', '/scheduled-tasks', { name: task.name, script: script('five') })
    expect(await revert(task, 1)).toMatchObject({ status: 409, body: { code: 'name_taken' } })
  })

  test('is refused to a version that would not be accepted today', async () => {
    const task = await saveThree()
    await it.sql`insert into script_task_versions (task_id, version, definition, code, node_version)
      select task_id, 4, definition || '{"schedule_type": "cron"}', code, node_version
      from script_task_versions where task_id = ${task.id} and version = 1`
    await it.sql`update script_tasks set version = 4 where id = ${task.id}`
    await revert(task, 1)
    expect(await revert(task, 4)).toMatchObject({
      status: 422,
      body: { code: 'invalid_request', errors: [{ pointer: '/cron_expression' }] },
    })
  })
})
