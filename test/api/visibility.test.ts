import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { encodeCursor } from '../../db/paging.ts'
import type { AccessRequest, Command, Message } from '../../domain/access-request.ts'
import { expectRefusal } from '../setup/api.ts'
import { getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Answer, Caller, TestProduct } from '../setup/product.ts'

type Fields = { [key: string]: unknown }
type Page<Item = AccessRequest> = { data: Item[]; next_cursor: string | null }

let it: TestProduct
let alice: Caller
let bob: Caller
let carol: Caller
let dana: Caller
let admin: Caller
let bot: Caller

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, bob, carol, dana, admin, bot] = (await Promise.all(
    ['alice', 'bob', 'carol', 'dana', 'admin', 'ci-bot'].map(it.as),
  )) as [Caller, Caller, Caller, Caller, Caller, Caller]
})
afterAll(() => it.close())

async function addPerson(name = `p-${randomUUID()}`): Promise<Caller> {
  const fields = { email: `${name}@example.com`, display_name: name }
  expect((await admin.call('POST', '/identities', fields)).status).toBe(201)
  return it.as(name)
}

/** A request that waits for Bob and Dana, without scripts. */
async function pending(caller = alice, fields: Fields = {}): Promise<AccessRequest> {
  return submit(caller, (await it.template({ trigger_task_id: null })).id, fields)
}

const decide = (caller: Caller, verb: string, id: string) =>
  caller.call('POST', `/access-requests/${id}/${verb}`)

const get = (caller: Caller, id: string) => caller.call('GET', `/access-requests/${id}`)

async function list(caller: Caller, path: string): Promise<Page> {
  const answer = await caller.call<Page>('GET', `/access-requests${path}`)
  expect(answer.status).toBe(200)
  return answer.body
}

const idsOf = ({ data }: Page<{ id: string }>) => data.map(({ id }) => id)

/** Every page of a list, followed by its cursors; `between` happens after each. */
async function walk(caller: Caller, path: string, between: () => Promise<unknown> = () => Promise.resolve()) {
  const found: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = await list(caller, `${path}${cursor && `&cursor=${cursor}`}`)
    found.push(...idsOf(page))
    cursor = page.next_cursor
    await between()
  }
  return found
}

describe('a request', () => {
  test('is seen by requester, approvers and admins; to anybody else there is none', async () => {
    const { id } = await pending()
    for (const caller of [alice, bob, dana, admin]) expect((await get(caller, id)).status).toBe(200)
    for (const caller of [carol, bot, await addPerson()])
      expectRefusal(await get(caller, id), 404, 'not_found')
  })

  test('reads the same whether it is hidden, absent or has no id at all', async () => {
    const { id } = await pending()
    const bodies = []
    for (const each of [id, randomUUID()]) bodies.push((await get(carol, each)).body)
    expect(bodies[0]).toEqual(bodies[1])
    for (const each of ['x', 'null', '%2e%2e%2fme', `${id}%00`, `${id}'--`])
      expectRefusal(await get(carol, each), 404, 'not_found')
  })

  test('is seen by its subject and the subject’s owner, not by a delegate who did not ask', async () => {
    const [asker, other] = [await addPerson(), await addPerson()]
    const { body } = await admin.call<{ id: string }>('POST', '/identities', {
      kind: 'service_account',
      purpose: 'Runs the builds',
      privilege_class: 'low',
      email: `bot-${randomUUID()}`,
      display_name: 'Bot',
      owner_id: carol.id,
      delegate_ids: [asker.id, other.id],
    })
    const request = await pending(asker, { subject_id: body.id })
    expect((await get(asker, request.id)).status).toBe(200)
    expect((await get(carol, request.id)).status).toBe(200)
    expectRefusal(await get(other, request.id), 404, 'not_found')
    expectRefusal(await decide(other, 'approve', request.id), 404, 'not_found')
    expectRefusal(await decide(carol, 'deny', request.id), 403, 'self_approval_forbidden')
    const own = await pending(alice, { subject_id: bot.id })
    expect((await get(bot, own.id)).status).toBe(200)
  })

  test('is seen by who may decide now, in every state, and no longer once they have left', async () => {
    const leaver = await addPerson()
    const { body: group } = await admin.call<{ id: string }>('POST', '/groups', {
      name: `g ${randomUUID()}`,
    })
    const member = `/groups/${group.id}/members/${leaver.id}`
    await admin.call('PUT', member)
    const template = await it.template({ approver_group_ids: [group.id], trigger_task_id: null })
    const { id } = await submit(alice, template.id)
    expect(idsOf(await list(leaver, '/pending'))).toEqual([id])
    await decide(leaver, 'approve', id)
    expect(idsOf(await list(leaver, '/pending'))).toEqual([])
    expect((await get(leaver, id)).status).toBe(200)
    await decide(alice, 'revoke', id)
    expect((await get(leaver, id)).status).toBe(200)
    await admin.call('DELETE', member)
    expectRefusal(await get(leaver, id), 404, 'not_found')
  })

  test('is hidden from the escalation group until it has been escalated', async () => {
    const { id } = await pending()
    expectRefusal(await get(carol, id), 404, 'not_found')
    expectRefusal(await decide(carol, 'approve', id), 404, 'not_found')
    await it.sql`update access_requests set escalated_at = now() where id = ${id}`
    expect((await get(carol, id)).status).toBe(200)
    expect(idsOf(await list(carol, '/pending'))).toContain(id)
  })

  test('tells its life in order, with who did what', async () => {
    const { id } = await pending()
    await bob.call('POST', `/access-requests/${id}/approve`, { comment: 'Until noon.' })
    await decide(alice, 'revoke', id)
    const { timeline } = await getRequest(alice, id)
    expect(timeline.map(({ kind, actor_email }) => [kind, actor_email])).toEqual([
      ['submitted', 'alice@example.com'],
      ['approved', 'bob@example.com'],
      ['revoked', 'alice@example.com'],
    ])
    expect(timeline[0]?.detail).toMatchObject({
      to: 'pending',
      notified_approvers: ['bob@example.com', 'dana@example.com'],
    })
    expect(timeline[1]).toMatchObject({
      actor_id: bob.id,
      detail: { from: 'pending', to: 'approved', comment: 'Until noon.' },
    })
    expect(timeline[2]?.detail).toMatchObject({ from: 'approved', to: 'revoked', cancelled: false })
    const times = timeline.map(({ at }) => at)
    expect(times).toEqual(times.toSorted())
    for (const at of times) expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })
})

describe('the lists', () => {
  test('mine are those that I asked for or that are for me, newest first', async () => {
    const person = await addPerson()
    const { body } = await admin.call<{ id: string }>('POST', '/identities', {
      kind: 'agent',
      purpose: 'Runs the builds',
      privilege_class: 'low',
      email: `bot-${randomUUID()}`,
      display_name: 'Agent',
      owner_id: person.id,
    })
    const first = await pending(person)
    const second = await pending(person, { subject_id: body.id })
    await pending(alice)
    expect(idsOf(await list(person, ''))).toEqual([second.id, first.id])
    await it.sql`update identities set owner_id = ${carol.id} where id = ${body.id}`
    expect(idsOf(await list(person, ''))).toEqual([second.id, first.id])
  })

  test('for my decision are only those that I may decide now, oldest first', async () => {
    const [first, second, own] = [await pending(), await pending(carol), await pending(bob)]
    const waiting = idsOf(await list(bob, '/pending?limit=200'))
    expect(waiting.filter((id) => [first, second, own].some((each) => each.id === id))).toEqual([
      first.id,
      second.id,
    ])
    expect(idsOf(await list(dana, '/pending?limit=200'))).toContain(own.id)
    for (const caller of [alice, bot]) expect(idsOf(await list(caller, '/pending'))).toEqual([])
    await decide(dana, 'deny', first.id)
    expect(idsOf(await list(bob, '/pending?limit=200'))).not.toContain(first.id)
  })

  test('all of them are for admins', async () => {
    for (const caller of [alice, bob, bot])
      expectRefusal(await caller.call('GET', '/access-requests/all'), 403, 'forbidden')
    const { id } = await pending()
    expect(idsOf(await list(admin, '/all'))[0]).toBe(id)
  })

  test('of all can be narrowed by status, template and requester, together', async () => {
    const template = await it.template({ trigger_task_id: null })
    const denied = await submit(alice, template.id)
    await decide(bob, 'deny', denied.id)
    const open = await submit(alice, template.id)
    const carols = await submit(carol, template.id)
    const narrowed = async (query: string) =>
      idsOf(await list(admin, `/all?template_id=${template.id}${query}`))
    expect(await narrowed('')).toEqual([carols.id, open.id, denied.id])
    expect(await narrowed('&status=denied')).toEqual([denied.id])
    expect(await narrowed('&requester=ALICE@')).toEqual([open.id, denied.id])
    expect(await narrowed('&requester=example.com')).toHaveLength(3)
    expect(await narrowed('&requester=alice&status=pending')).toEqual([open.id])
    expect(await narrowed('&status=expired')).toEqual([])
    expect(idsOf(await list(admin, `/all?template_id=${template.id.toUpperCase()}`))).toHaveLength(3)
  })

  test('take % and _ and \\ in a requester as what they are', async () => {
    const tag = randomUUID().slice(0, 8)
    const [percent, underscore] = [await addPerson(`a%${tag}`), await addPerson(`a_${tag}`)]
    const ids = [(await pending(percent)).id, (await pending(underscore)).id]
    const find = async (requester: string) =>
      idsOf(await list(admin, `/all?requester=${encodeURIComponent(requester)}`))
    expect(await find(`a%${tag}`)).toEqual([ids[0]])
    expect(await find(`a_${tag}`)).toEqual([ids[1]])
    expect(await find(tag)).toEqual(ids.toReversed())
    for (const nothing of [`%${tag.slice(1)}%`, `\\${tag}`, `' or true --`]) {
      expect(await find(nothing)).toEqual([])
    }
    expect((await find('')).length).toBeGreaterThan(1)
  })

  test.each([
    '/all?status=open',
    '/all?status=PENDING',
    '/all?status=',
    '/all?status=pending&status=denied',
    '/all?template_id=x',
    '/all?template_id=',
    '/all?requester=a%00b',
    `/all?requester=${'x'.repeat(255)}`,
    '/all?requester=a&requester=b',
  ])('%s is refused', async (path) => {
    expectRefusal(await admin.call('GET', `/access-requests${path}`), 422, 'invalid_request')
  })

  test.each(['0', '-1', '201', 'abc', '', '1.5', '1e3', '1e999', 'NaN', '[]', '5&limit=6', '%00'])(
    'the limit %j is refused',
    async (limit) => {
      for (const path of ['', '/pending', '/all'])
        expectRefusal(
          await admin.call('GET', `/access-requests${path}?limit=${limit}`),
          422,
          'invalid_request',
          '/limit',
        )
      const templates = await alice.call('GET', `/access-request-templates?limit=${limit}`)
      expectRefusal(templates, 422, 'invalid_request', '/limit')
    },
  )

  test('page by 50 unless told otherwise, and end with no cursor', async () => {
    const page = await list(admin, '/all?limit=200')
    expect(page).toMatchObject({ next_cursor: null })
    expect(await list(admin, '/all')).toMatchObject({ data: page.data.slice(0, 50) })
    expect(idsOf(await list(admin, '/all?limit=1'))).toEqual(idsOf(page).slice(0, 1))
  })

  test('miss nothing and repeat nothing while requests are added and decided', async () => {
    const before = idsOf(await list(admin, '/all?limit=200'))
    const found = await walk(admin, '/all?limit=7', async () => decide(bob, 'approve', (await pending()).id))
    expect(found).toEqual(before)
    const waiting = idsOf(await list(dana, '/pending?limit=200'))
    const seen = await walk(dana, '/pending?limit=5', () => pending(carol))
    expect(seen.slice(0, waiting.length)).toEqual(waiting)
    expect(new Set(seen).size).toBe(seen.length)
  })

  test('refuse a cursor that they did not give', async () => {
    const { next_cursor } = await list(admin, '/all?limit=1')
    const given = next_cursor ?? ''
    expect(given).not.toBe('')
    const tampered = [
      'x',
      '',
      given.slice(1),
      `${given}A`,
      `${given}=`,
      given.replace(/^./, 'Z'),
      '%00',
      'null',
      'W10',
      encodeCursor('all', `' or 1=1 --`),
      encodeCursor('access-requests', randomUUID()),
      Buffer.from(`["all", "${randomUUID()}"]`).toString('base64url'),
      'A'.repeat(600),
      `${given}&cursor=${given}`,
    ]
    for (const cursor of tampered) {
      const answer = await admin.call('GET', `/access-requests/all?cursor=${cursor}`)
      expectRefusal(answer, 422, 'invalid_request', '/cursor')
    }
    for (const path of ['', '/pending'])
      expectRefusal(
        await admin.call('GET', `/access-requests${path}?cursor=${given}`),
        422,
        'invalid_request',
      )
  })
})

describe('messages', () => {
  const read = (caller: Caller, id: string, query = '') =>
    caller.call<Page<Message>>('GET', `/access-requests/${id}/messages${query}`)
  const write = (caller: Caller, id: string, body: unknown = { body: 'Hello.' }) =>
    caller.call<Message>('POST', `/access-requests/${id}/messages`, body)

  test('are read and written by those who take part; admins read; others find nothing', async () => {
    const { id } = await pending(alice, { subject_id: bot.id })
    for (const caller of [alice, bot, bob, dana]) {
      const { status, headers, body } = await write(caller, id)
      expect(status).toBe(201)
      expect(headers.get('location')).toBe(`/api/v1/access-requests/${id}/messages`)
      expect(body).toMatchObject({ author_id: caller.id, body: 'Hello.' })
    }
    expectRefusal(await write(admin, id), 403, 'forbidden')
    expect((await read(admin, id)).body.data.map(({ author_email }) => author_email)).toEqual([
      'alice@example.com',
      'ci-bot',
      'bob@example.com',
      'dana@example.com',
    ])
    for (const call of [read, write]) expectRefusal(await call(carol, id), 404, 'not_found')
    for (const call of [read, write]) expectRefusal(await call(alice, randomUUID()), 404, 'not_found')
  })

  test('are written by an admin who decides', async () => {
    const template = await it.template({ approver_group_ids: [], trigger_task_id: null })
    const { id } = await submit(alice, template.id)
    expect((await write(admin, id)).status).toBe(201)
  })

  test.each<[string, (id: string) => Promise<unknown>]>([
    ['pending', () => Promise.resolve()],
    ['approved', (id) => decide(bob, 'approve', id)],
    ['denied', (id) => decide(bob, 'deny', id)],
    ['revoked', (id) => decide(alice, 'revoke', id)],
  ])('can be added to a request that is %s', async (status, reach) => {
    const { id } = await pending()
    await reach(id)
    for (const caller of [alice, bob]) expect((await write(caller, id)).status).toBe(201)
    expect((await getRequest(alice, id)).status).toBe(status)
    expect((await read(alice, id)).body.data).toHaveLength(2)
  })

  test('come oldest first, page by page', async () => {
    const { id } = await pending()
    const bodies = Array.from({ length: 7 }, (_, at) => `Message ${at}`)
    for (const body of bodies) await write(alice, id, { body })
    const seen: string[] = []
    for (let query: string | null = '?limit=3'; query !== null; ) {
      const page: Page<Message> = (await read(bob, id, query)).body
      seen.push(...page.data.map(({ body }) => body))
      query = page.next_cursor && `?limit=3&cursor=${page.next_cursor}`
    }
    expect(seen).toEqual(bodies)
    const requests = await list(admin, '/all?limit=1')
    expectRefusal(await read(bob, id, `?cursor=${requests.next_cursor}`), 422, 'invalid_request', '/cursor')
  })

  test('keep their text, and no one else’s name', async () => {
    const { id } = await pending()
    const text = `<img src=x onerror=alert(1)> \u202E =1+1 'quoted' 🔥\r\n`
    expect((await write(alice, id, { body: text })).body.body).toBe(text)
    const forged = { body: 'x', author_id: bob.id }
    expectRefusal(await write(alice, id, forged), 422, 'invalid_request', '/author_id')
  })

  test.each([
    {},
    { body: '' },
    { body: ' \n ' },
    { body: 5 },
    { body: 'a\0' },
    { body: '\uDC00' },
    { body: 'x'.repeat(10_001) },
    [],
  ])('are refused when they are %j', async (body) => {
    const { id } = await pending()
    expectRefusal(await write(alice, id, body), 422, 'invalid_request')
    expect((await read(alice, id)).body.data).toEqual([])
  })

  test('under one Idempotency-Key are one message', async () => {
    const { id } = await pending()
    const headers = { 'idempotency-key': randomUUID() }
    const path = `/access-requests/${id}/messages`
    const first = await alice.call('POST', path, { body: 'Once.' }, headers)
    const second = await alice.call('POST', path, { body: 'Once.' }, headers)
    expect(second.body).toEqual(first.body)
    expect((await read(alice, id)).body.data).toHaveLength(1)
  })
})

describe('commands', () => {
  type Sent = { request: string; command: string }

  async function deny(): Promise<Sent> {
    const { id } = await pending()
    expect((await decide(bob, 'deny', id)).status).toBe(200)
    const [row] = await it.sql<{ id: string }[]>`
      select id from commands where request_id = ${id} and kind = 'deny'`
    return { request: id, command: row?.id ?? '' }
  }

  const look = (caller: Caller, request: string, command: string): Promise<Answer<Command>> =>
    caller.call<Command>('GET', `/access-requests/${request}/commands/${command}`)

  test('are seen by who sent them and by admins, not by the requester', async () => {
    const { request, command } = await deny()
    for (const caller of [bob, admin])
      expect((await look(caller, request, command)).body).toEqual({
        id: command,
        kind: 'deny',
        state: 'applied',
        result: { status: 'denied' },
        problem: null,
      })
    for (const caller of [alice, dana, carol, bot])
      expectRefusal(await look(caller, request, command), 404, 'not_found')
  })

  test('belong to their request', async () => {
    const [one, other] = [await deny(), await deny()]
    for (const [request, command] of [
      [one.request, other.command],
      [one.request, one.request],
      [one.request, randomUUID()],
      [randomUUID(), one.command],
      [one.request, 'x'],
      ['x', one.command],
    ] as const)
      expectRefusal(await look(bob, request, command), 404, 'not_found')
    expect((await look(bob, one.request, one.command.toUpperCase())).status).toBe(200)
  })

  test('that start a workflow are seen by admins alone', async () => {
    const { id } = await pending()
    const [row] = await it.sql<{ id: string }[]>`select id from commands where request_id = ${id}`
    expect((await look(admin, id, row?.id ?? '')).body).toMatchObject({ kind: 'start', state: 'applied' })
    expectRefusal(await look(alice, id, row?.id ?? ''), 404, 'not_found')
  })
})
