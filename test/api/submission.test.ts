import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import type { Run } from '../../domain/script-task.ts'
import { expectRefusal } from '../setup/api.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

type Fields = { [key: string]: unknown }
type Field = { id: string; label: string }

let it: TestProduct
let alice: Caller
let bob: Caller
let admin: Caller
let bot: Caller
let template: Fields & { id: string }

beforeAll(async () => {
  it = await startTestProduct({ max_duration_mins: 1_000 })
  ;[alice, bob, admin, bot] = (await Promise.all(['alice', 'bob', 'admin', 'ci-bot'].map(it.as))) as [
    Caller,
    Caller,
    Caller,
    Caller,
  ]
  template = await it.template()
})
afterAll(() => it.close())

const ask = (caller: Caller, body: Fields) => caller.call<AccessRequest>('POST', '/access-requests', body)

/** A submission that would be accepted but for `changes`. */
const asking = (changes: Fields = {}): Fields => ({
  template_id: template.id,
  requested_duration_mins: 60,
  justification: 'The incident.',
  ...changes,
})

const groupId = async (name: string) =>
  (await getRow<{ id: string }>(it.sql`select id from groups where name = ${name}`)).id

async function addIdentity(fields: Fields): Promise<{ id: string }> {
  const answer = await admin.call<{ id: string }>('POST', '/identities', {
    display_name: 'Somebody',
    ...fields,
  })
  expect(answer.status).toBe(201)
  return answer.body
}

async function addPerson(): Promise<Caller> {
  const name = `p-${randomUUID()}`
  await addIdentity({ email: `${name}@example.com` })
  return it.as(name)
}

async function addEngineer(): Promise<Caller> {
  const person = await addPerson()
  await admin.call('PUT', `/groups/${await groupId('engineering')}/members/${person.id}`)
  return person
}

async function addBot(fields: Fields): Promise<string> {
  const bot = { kind: 'service_account', purpose: 'Runs the builds', privilege_class: 'low' }
  return (await addIdentity({ ...bot, email: `bot-${randomUUID()}`, ...fields })).id
}

const raw = (text: string) => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)

const countKept = () =>
  getRow<{ requests: number; events: number }>(it.sql`
    select (select count(*)::int from access_requests) as requests,
      (select count(*)::int from outbox_events) as events`)

describe('the rules, in their order', () => {
  /** Each breaks one rule of the submission that `ask` builds; they stand in the order of the specification. */
  const rules: [string, number, string, Fields][] = [
    ['shape', 422, 'invalid_request', { decided_by: null }],
    ['template', 404, 'not_found', { template_id: randomUUID() }],
    ['caller', 403, 'requester_not_allowed', {}],
    ['subject', 403, 'subject_not_allowed', { subject_id: randomUUID() }],
    ['duration', 422, 'duration_not_allowed', { requested_duration_mins: 61 }],
    ['justification', 422, 'justification_required', { justification: ' \n\t ' }],
    ['answers', 422, 'invalid_custom_answers', { custom_answers: {} }],
    ['pending', 409, 'pending_request_exists', {}],
  ]
  const pairs = rules.flatMap(([first, status, code], at) =>
    rules.slice(at + 1).map(([second]) => [first, second, status, code] as const),
  )
  let strict: Fields & { id: string; custom_fields: Field[] }

  beforeAll(async () => {
    const groups = [await groupId('engineering'), await groupId('dba-team')]
    const custom_fields = [{ label: 'Why now', type: 'text', required: true }]
    strict = (await it.template({ allowed_group_ids: groups, custom_fields })) as typeof strict
    for (const caller of [alice, bob]) await submit(caller, strict.id, { custom_answers: answered() })
    const { id, created_at: _c, updated_at: _u, ...input } = strict
    const narrowed = { ...input, allowed_group_ids: groups.slice(0, 1) }
    expect((await admin.call('PUT', `/access-request-templates/${id}`, narrowed)).status).toBe(200)
  })

  const answered = () => ({ [strict.custom_fields[0]?.id ?? '']: 'It burns.' })

  /** Alice may ask and has asked before; Bob had asked before he was no longer allowed to; Fred asks for the first time. */
  async function askBreaking(broken: string[]) {
    const changes = rules.filter(([name]) => broken.includes(name)).map(([, , , change]) => change)
    const caller = broken.includes('caller') ? bob : broken.includes('pending') ? alice : await addEngineer()
    return ask(
      caller,
      Object.assign(asking({ template_id: strict.id, custom_answers: answered() }), ...changes),
    )
  }

  test('a submission that breaks none of them is accepted', async () => {
    const { status, headers, body } = await askBreaking([])
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/api/v1/access-requests/${body.id}`)
    expect(body).toMatchObject({ status: 'pending', template_name: strict['name'] })
  })

  test.each(pairs)('%s comes before %s', async (first, second, status, code) => {
    expectRefusal(await askBreaking([first, second]), status, code)
  })

  test('who breaks all of them is told of the first, and of the next once that is mended', async () => {
    const codes: string[] = []
    for (let at = 0; at < rules.length; at++) {
      const answer = await askBreaking(rules.slice(at).map(([name]) => name))
      codes.push((answer.body as unknown as { code: string }).code)
    }
    expect(codes).toEqual(rules.map(([, , code]) => code))
  })

  test('nothing of a refused submission is kept', async () => {
    const before = await countKept()
    for (const [name] of rules.slice(1)) await askBreaking([name])
    expect(await countKept()).toEqual(before)
  })

  test('every field that was answered wrongly is named at once, by its id', async () => {
    const custom_fields = ['A', 'B'].map((label) => ({ label, type: 'checkbox', required: true }))
    const made = (await it.template({ custom_fields })) as unknown as {
      id: string
      custom_fields: [Field, Field]
    }
    const [first, second] = made.custom_fields
    const answer = await ask(
      alice,
      asking({
        template_id: made.id,
        custom_answers: { [first.id]: false, 'a/b~c': 1 },
      }),
    )
    for (const pointer of [`/custom_answers/${first.id}`, `/custom_answers/${second.id}`])
      expectRefusal(answer, 422, 'invalid_custom_answers', pointer)
    expectRefusal(answer, 422, 'invalid_custom_answers', '/custom_answers/a~1b~0c')
  })
})

describe('the duration', () => {
  test.each([
    ['1.5'],
    ['1e308'],
    ['1e400'],
    ['9007199254740993'],
    ['"1h"'],
    ['"60"'],
    ['null'],
    ['true'],
    ['1e-7'],
  ])('%s is no number of minutes', async (text) => {
    const answer = await ask(alice, asking({ requested_duration_mins: raw(text) }))
    expectRefusal(answer, 422, 'invalid_request', '/requested_duration_mins')
  })

  test('is needed, and is not a list', async () => {
    const { requested_duration_mins: _, ...without } = asking()
    expectRefusal(await ask(alice, without), 422, 'invalid_request', '/requested_duration_mins')
    expectRefusal(await ask(alice, asking({ requested_duration_mins: [60] })), 422, 'invalid_request')
  })

  test.each([0, -0, -1, -60, 59, 61, 1_000, 2_147_483_648, Number.MAX_SAFE_INTEGER])(
    '%s is not one of the allowed ones',
    async (requested_duration_mins) => {
      const answer = await ask(alice, asking({ requested_duration_mins }))
      expectRefusal(answer, 422, 'duration_not_allowed', '/requested_duration_mins')
    },
  )

  test('is from 1 to MAX_DURATION_MINS where the template names none', async () => {
    const open = await it.template({ allowed_durations: [] })
    for (const requested_duration_mins of [0, -1, 1_001, 2_147_483_648]) {
      const answer = await ask(alice, asking({ template_id: open.id, requested_duration_mins }))
      expectRefusal(answer, 422, 'duration_not_allowed')
    }
    expect((await submit(alice, open.id, { requested_duration_mins: 1 })).requested_duration_mins).toBe(1)
    expect((await submit(bob, open.id, { requested_duration_mins: 1_000 })).requested_duration_mins).toBe(
      1_000,
    )
  })

  test('that a template names may be longer than MAX_DURATION_MINS, and is granted in full', async () => {
    const years = 5_256_000
    const long = await it.template({ allowed_durations: [years], auto_approve: true })
    const { status, decided_at, expires_at } = await submit(alice, long.id, {
      requested_duration_mins: years,
    })
    expect(status).toBe('approved')
    expect(Date.parse(expires_at ?? '') - Date.parse(decided_at ?? '')).toBe(years * 60_000)
  })
})

describe('the subject', () => {
  test('is the caller when it is absent or the caller’s own id, however that is spelt', async () => {
    for (const subject_id of [undefined, alice.id, alice.id.toUpperCase()]) {
      const { id } = await it.template()
      const request = await submit(alice, id, { subject_id })
      expect(request).toMatchObject({
        requester_id: alice.id,
        subject_id: alice.id,
        subject_name: 'Alice',
      })
    }
  })

  test('may be a non-human identity that the caller owns', async () => {
    const { id } = await it.template()
    const request = await submit(alice, id, { subject_id: bot.id })
    expect(request).toMatchObject({
      requester_id: alice.id,
      subject_id: bot.id,
      subject_name: 'CI bot',
    })
  })

  test('may be a non-human identity that the caller is delegate of', async () => {
    const subject_id = await addBot({ owner_id: bob.id, delegate_ids: [alice.id] })
    const { id } = await it.template()
    expect((await submit(alice, id, { subject_id })).subject_id).toBe(subject_id)
  })

  test('a non-human identity may ask for itself', async () => {
    const { id } = await it.template()
    expect(await submit(bot, id)).toMatchObject({
      requester_id: bot.id,
      requester_email: 'ci-bot',
      subject_id: bot.id,
    })
  })

  test('two subjects of one requester wait side by side, one subject waits once whoever asks', async () => {
    const { id: template_id } = await it.template()
    await submit(alice, template_id)
    await submit(alice, template_id, { subject_id: bot.id })
    expectRefusal(await ask(bot, asking({ template_id })), 409, 'pending_request_exists')
  })

  test.each<[string, () => Promise<string> | string]>([
    ['somebody else’s non-human identity', () => addBot({ owner_id: bob.id })],
    ['another person', () => bob.id],
    ['nobody', () => randomUUID()],
    ['a disabled one of one’s own', () => addBot({ owner_id: alice.id, status: 'disabled' })],
    [
      'an expired one of one’s own',
      () => addBot({ owner_id: alice.id, expires_at: '2001-01-01T00:00:00.000Z' }),
    ],
  ])('may not be %s', async (_, find) => {
    const { id: template_id } = await it.template()
    const answer = await ask(alice, asking({ template_id, subject_id: await find() }))
    expectRefusal(answer, 403, 'subject_not_allowed')
  })

  test('may not be the owner of a non-human identity that asks', async () => {
    expectRefusal(await ask(bot, asking({ subject_id: alice.id })), 403, 'subject_not_allowed')
  })

  test('one that is disabled while its owner asks for it is left with nothing open', async () => {
    const { id: template_id } = await it.template()
    const bots = await Promise.all(Array.from({ length: 8 }, () => addBot({ owner_id: alice.id })))
    await Promise.all(
      bots.flatMap((id) => [
        ask(alice, asking({ template_id, subject_id: id })),
        admin.call('PATCH', `/identities/${id}`, { status: 'disabled' }),
      ]),
    )
    expect(
      await rows(
        it.sql`select id from access_requests where status = 'pending' and subject_id = any (${bots})`,
      ),
    ).toEqual([])
  })
})

describe('the requester', () => {
  test('that is disabled asks for nothing', async () => {
    const person = await addPerson()
    await admin.call('PATCH', `/identities/${person.id}`, { status: 'disabled' })
    expectRefusal(await ask(person, asking()), 401, 'unauthenticated')
  })

  test('that is disabled while asking is left with nothing open', async () => {
    const people = await Promise.all(Array.from({ length: 8 }, addPerson))
    const { id: template_id } = await it.template()
    await Promise.all(
      people.flatMap((person) => [
        ask(person, asking({ template_id })),
        admin.call('PATCH', `/identities/${person.id}`, { status: 'disabled' }),
      ]),
    )
    const left = await rows(
      it.sql`select id from access_requests where status = 'pending' and template_id = ${template_id}`,
    )
    expect(left).toEqual([])
  })

  test('needs a membership that is active now, when the template is for some groups only', async () => {
    const [person, group] = [await addPerson(), await groupId('engineering')]
    const { id: template_id } = await it.template({ allowed_group_ids: [group] })
    const member = `/groups/${group}/members/${person.id}`
    expect((await admin.call('PUT', member)).status).toBe(204)
    await it.sql`update memberships set expires_at = now() - interval '1 second' where identity_id = ${person.id}`
    expectRefusal(await ask(person, asking({ template_id })), 403, 'requester_not_allowed')
    await it.sql`update memberships set expires_at = now() + interval '1 hour' where identity_id = ${person.id}`
    expect((await ask(person, asking({ template_id }))).status).toBe(201)
  })
})

describe('what nobody may write', () => {
  test('every column of the table that is not a field of a submission is refused as a key', async () => {
    const columns = await rows<{ name: string }>(it.sql`
      select distinct column_name as name from information_schema.columns
      where table_schema = 'public' and table_name in ('access_requests', 'grants', 'decisions', 'commands')`)
    const fields = new Set([...Object.keys(asking()), 'custom_answers', 'subject_id', 'ticket'])
    const forbidden = columns.map(({ name }) => name).filter((name) => !fields.has(name))
    expect(forbidden).toEqual(expect.arrayContaining(['status', 'decided_by', 'expires_at', 'requester_id']))
    for (const name of forbidden) {
      expectRefusal(await ask(alice, asking({ [name]: null })), 422, 'invalid_request', `/${name}`)
    }
  })

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'requested_duration_min\u202Es',
    '\u200Btemplate_id',
    'a\0b',
  ])('the key %j is refused', async (key) => {
    const body = JSON.parse(
      JSON.stringify(asking()).replace('{', `{${JSON.stringify(key)}:{"status":"approved"},`),
    )
    expectRefusal(await ask(alice, body), 422, 'invalid_request', `/${key}`)
  })

  test.each(['__proto__', 'constructor', 'hasOwnProperty', '\u202Eabc', 'a\0b', '\uD800'])(
    'a custom answer under the key %j is refused',
    async (key) => {
      const custom_answers = JSON.parse(`{${JSON.stringify(key)}:"x"}`)
      const answer = await ask(alice, asking({ custom_answers }))
      expect(answer.status).toBe(422)
      expect(['invalid_request', 'invalid_custom_answers']).toContain(
        (answer.body as unknown as { code: string }).code,
      )
    },
  )

  test.each<[string, unknown]>([
    ['a NUL', 'a\0b'],
    ['half a character', 'a\uD800b'],
    ['the other half', '\uDC00'],
    ['a megabyte', 'x'.repeat(1_000_000)],
    ['a number', 7],
    ['null', null],
    ['a list', ['x']],
    ['an object', { toString: 'x' }],
  ])('a text that is %s', async (_, value) => {
    for (const field of ['justification', 'ticket']) {
      expectRefusal(await ask(alice, asking({ [field]: value })), 422, 'invalid_request', `/${field}`)
    }
    for (const field of ['template_id', 'subject_id', 'custom_answers']) {
      if (field === 'custom_answers' && typeof value === 'object' && !Array.isArray(value)) continue
      expectRefusal(await ask(alice, asking({ [field]: value })), 422, 'invalid_request', `/${field}`)
    }
  })

  test.each([
    'no-id',
    '',
    '{}',
    '00000000-0000-0000-0000-00000000000g',
    ' 01234567-89ab-7cde-8f01-23456789abcd',
  ])('the template id %j is no id', async (template_id) => {
    expectRefusal(await ask(alice, asking({ template_id })), 422, 'invalid_request', '/template_id')
  })

  test('a body over a megabyte is refused before it is read as anything', async () => {
    expectRefusal(await ask(alice, { x: 'x'.repeat(1_048_577) }), 413, 'body_too_large')
  })

  test.each(['null', '[]', '"x"', '7', '[{}]'])('the body %s is no submission', async (text) => {
    expectRefusal(await ask(alice, JSON.parse(text)), 422, 'invalid_request')
  })
})

describe('what is asked', () => {
  test('is kept as it was written, in any script and with anything that only looks dangerous', async () => {
    const { id } = await it.template()
    const justification = `'; drop table access_requests; -- <script>alert(1)</script>\r\n=cmd|' /C calc'!A0 \u202Eevil\u200B 𝔘 🔥`
    const request = await submit(alice, id, { justification, ticket: '<!channel> CHG-1' })
    expect(await getRequest(alice, request.id)).toMatchObject({
      justification,
      ticket: '<!channel> CHG-1',
    })
  })

  test('needs no justification where the template says so, and no ticket', async () => {
    const { id: template_id } = await it.template({ require_justification: false })
    const { status, body } = await ask(alice, { template_id, requested_duration_mins: 60 })
    expect(status).toBe(201)
    expect(body).toMatchObject({ justification: '', ticket: null, custom_answers: {} })
  })

  test('names the template by its id in capitals as well', async () => {
    const { id } = await it.template()
    expect((await submit(alice, id.toUpperCase())).template_id).toBe(id)
  })

  test('may be asked again once it was denied, cancelled or has been granted', async () => {
    const { id } = await it.template()
    for (const [caller, verb] of [
      [bob, 'deny'],
      [alice, 'revoke'],
      [bob, 'approve'],
    ] as const) {
      const request = await submit(alice, id)
      expect((await caller.call('POST', `/access-requests/${request.id}/${verb}`)).status).toBe(200)
    }
    await submit(alice, id)
  })
})

async function ranWith(request: AccessRequest): Promise<string | null> {
  const run = await eventually('the run', async () => {
    const [found] = await rows<Run>(it.sql`
      select * from script_runs where request_id = ${request.id} and status <> 'running'`)
    return found
  })
  return run.result
}

describe('custom answers', () => {
  const fields = [
    { label: 'Host', type: 'text', required: true, placeholder: 'db-1' },
    { label: 'Plan', type: 'textarea' },
    { label: 'Region', type: 'select', options: ['eu', 'us'], required: true },
    { label: 'Tables', type: 'multi_select', options: ['users', 'orders', 'logs'] },
    { label: 'I have read the policy', type: 'checkbox', required: true },
  ]
  const labels = fields.map(({ label }) => label)
  let ids: string[]
  let asked: Fields & { id: string }

  beforeAll(async () => {
    const script = `export const run = () => ${JSON.stringify(labels)}.map((l) => config.get('custom_answers.' + l)).join('|')`
    const task = await admin.call<{ id: string }>('POST', '/scheduled-tasks', {
      name: 'answers',
      script,
    })
    expect(task.status).toBe(201)
    asked = await it.template({ custom_fields: fields, trigger_task_id: task.body.id })
    ids = (asked['custom_fields'] as Field[]).map(({ id }) => id)
  })

  const answers = (values: unknown[]) =>
    Object.fromEntries(values.flatMap((value, at) => (value === undefined ? [] : [[ids[at] ?? '', value]])))
  const good = ['db-7', 'One\nTwo', 'eu', ['users', 'logs'], true]
  const replacing = (at: number, value: unknown) => answers(good.with(at, value as string))

  test('of all five types are stored, shown, and told to the script by their labels', async () => {
    const request = await submit(alice, asked.id, { custom_answers: answers(good) })
    expect(request.custom_answers).toEqual(answers(good))
    expect((await getRequest(bob, request.id)).custom_answers).toEqual(answers(good))
    expect(await ranWith(request)).toBe('db-7|One\nTwo|eu|users, logs|true')
  })

  test('that are left out read as nothing', async () => {
    const request = await submit(bob, asked.id, {
      custom_answers: answers(['h', undefined, 'us', undefined, true]),
    })
    expect(await ranWith(request)).toBe('h||us||true')
  })

  test.each<[string, number, unknown]>([
    ['a required text that is blank', 0, '  '],
    ['a required text that is missing', 0, undefined],
    ['a text that is a number', 0, 5],
    ['a text that is too long', 0, 'x'.repeat(1_001)],
    ['a text with a NUL', 0, 'a\0b'],
    ['a text with half a character', 1, '\uDBFF'],
    ['a text area that is null', 1, null],
    ['a text area that is too long', 1, 'x'.repeat(10_001)],
    ['an option that is not offered', 2, 'asia'],
    ['an option in capitals', 2, 'EU'],
    ['an option that is inherited', 2, 'toString'],
    ['a required option that is empty', 2, ''],
    ['two options where one is asked for', 2, ['eu', 'us']],
    ['options that are not a list', 3, 'users'],
    ['options that are offered once and chosen twice', 3, ['users', 'users']],
    ['options of which one is not offered', 3, ['users', 'secrets']],
    ['10,000 options', 3, Array.from({ length: 10_000 }, () => 'users')],
    ['a required box that is not ticked', 4, false],
    ['a box that is text', 4, 'true'],
    ['a box that is 1', 4, 1],
  ])('that are %s are refused', async (_, at, value) => {
    const answer = await ask(admin, asking({ template_id: asked.id, custom_answers: replacing(at, value) }))
    expectRefusal(answer, 422, 'invalid_custom_answers', `/custom_answers/${ids[at]}`)
  })

  test('to no question are refused, by label too', async () => {
    for (const key of [randomUUID(), 'Host', '']) {
      const custom_answers = { ...answers(good), [key]: 'x' }
      const answer = await ask(admin, asking({ template_id: asked.id, custom_answers }))
      expectRefusal(answer, 422, 'invalid_custom_answers', `/custom_answers/${key}`)
    }
  })
})
