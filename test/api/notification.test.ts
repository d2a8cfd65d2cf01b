import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findRow } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

type Fields = { [key: string]: unknown }
type Person = Caller & { email: string }

let it: TestProduct
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct()
  admin = await it.as('admin')
})
afterAll(() => it.close())

async function addPerson(label: string): Promise<Person> {
  const name = `${label}-${randomUUID().slice(0, 8)}`
  const email = `${name}@example.com`
  const answer = await admin.call('POST', '/identities', { email, display_name: label })
  expect(answer.status).toBe(201)
  return { ...(await it.as(name)), email }
}

const addPeople = async (...labels: string[]): Promise<Person[]> => Promise.all(labels.map(addPerson))

async function join(group_id: string, person: { id: string }): Promise<void> {
  const answer = await admin.call('PUT', `/groups/${group_id}/members/${person.id}`)
  expect(answer.status).toBe(204)
}

/** A membership whose time has run out, which nobody can enter. */
async function joinInThePast(group_id: string, { id }: { id: string }): Promise<void> {
  await it.sql`insert into memberships (group_id, identity_id, expires_at)
    values (${group_id}, ${id}, now() - interval '1 second')
    on conflict (group_id, identity_id) do update set expires_at = excluded.expires_at`
}

/** A group whose members join one after the other, in this order. */
async function addGroup(members: { id: string }[], fields: Fields = {}): Promise<string> {
  const { body } = await admin.call<{ id: string }>('POST', '/groups', {
    name: `g ${randomUUID()}`,
    ...fields,
  })
  for (const member of members) await join(body.id, member)
  return body.id
}

const templateFor = async (approver_group_ids: string[], fields: Fields = {}) =>
  (
    await it.template({
      approver_group_ids,
      trigger_task_id: null,
      escalation_after_mins: null,
      escalation_group_id: null,
      ...fields,
    })
  ).id

const emailsOf = (people: Person[]) => people.map(({ email }) => email)

/** Whom a new request of `requester` tells. It is cancelled at once, so that the next may follow. */
async function told(requester: Caller, template_id: string, fields: Fields = {}): Promise<string[]> {
  const { id, notified_approvers } = await submit(requester, template_id, fields)
  await requester.call('POST', `/access-requests/${id}/revoke`)
  return notified_approvers
}

const cursorOf = async (template_id: string) =>
  (
    await findRow<{ position: number }>(
      it.sql`select position from round_robin_cursors where template_id = ${template_id}`,
    )
  )?.position

describe('all', () => {
  test('tells everybody once: groups in the template’s order, members by joining', async () => {
    const [a, b, c, d] = (await addPeople('a', 'b', 'c', 'd')) as [Person, Person, Person, Person]
    const asker = await addPerson('asker')
    const [first, second] = [await addGroup([c, a]), await addGroup([d, a, b])]
    expect(await told(asker, await templateFor([first, second]))).toEqual(emailsOf([c, a, d, b]))
    expect(await told(asker, await templateFor([second, first]))).toEqual(emailsOf([d, a, b, c]))
  })

  test('tells neither requester nor subject, owner or delegates of the subject', async () => {
    const [owner, delegate, other] = (await addPeople('owner', 'delegate', 'other')) as [
      Person,
      Person,
      Person,
    ]
    const bot = await admin.call<{ id: string }>('POST', '/identities', {
      kind: 'service_account',
      purpose: 'Runs the builds',
      privilege_class: 'low',
      email: `bot-${randomUUID()}`,
      display_name: 'Bot',
      owner_id: owner.id,
      delegate_ids: [delegate.id],
    })
    const template = await templateFor([await addGroup([owner, delegate, other])])
    expect(await told(delegate, template, { subject_id: bot.body.id })).toEqual([other.email])
    expect(await told(owner, template)).toEqual(emailsOf([delegate, other]))
  })

  test('tells only people who are active members now', async () => {
    const [stays, left, expired, disabled, past] = (await addPeople(
      'stays',
      'left',
      'expired',
      'disabled',
      'past',
    )) as [Person, Person, Person, Person, Person]
    const bot = await it.as('ci-bot')
    const group = await addGroup([bot, left, expired, disabled, past, stays])
    await admin.call('DELETE', `/groups/${group}/members/${left.id}`)
    await joinInThePast(group, expired)
    await admin.call('PATCH', `/identities/${disabled.id}`, { status: 'disabled' })
    await admin.call('PATCH', `/identities/${past.id}`, { expires_at: '2020-01-01T00:00:00.000Z' })
    expect(await told(await addPerson('asker'), await templateFor([group]))).toEqual([stays.email])
  })

  test('tells those who hold the permission where no group is named', async () => {
    const extra = await addPerson('second-admin')
    const group = await addGroup([extra], { permissions: ['access_requests.manage'] })
    const asker = await addPerson('asker')
    expect(await told(asker, await templateFor([]))).toEqual(['admin@example.com', extra.email])
    expect(await told(extra, await templateFor([]))).toEqual(['admin@example.com'])
    await admin.call('DELETE', `/groups/${group}`)
  })

  test('tells nobody and says so where the only approver asks', async () => {
    const lonely = await addPerson('lonely')
    const template = await templateFor([await addGroup([lonely])])
    const request = await submit(lonely, template)
    expect(request.notified_approvers).toEqual([])
    const { timeline } = await getRequest(lonely, request.id)
    expect(timeline.map(({ kind }) => kind)).toEqual(['submitted', 'no_eligible_approver'])
  })

  test('writes the same people on the request, in the event and in the audit log', async () => {
    const [a, b] = (await addPeople('a', 'b')) as [Person, Person]
    const request = await submit(await addPerson('asker'), await templateFor([await addGroup([b, a])]))
    const event = await findRow<{ payload: Fields }>(it.sql`
      select payload from outbox_events where request_id = ${request.id} and type = 'access_request.submitted'`)
    const audit = await findRow<{ detail: Fields }>(it.sql`
      select detail from audit_events where request_id = ${request.id} and kind = 'access_request.submitted'`)
    expect(event?.payload).toEqual({
      request_id: request.id,
      template_name: request.template_name,
      requester_email: request.requester_email,
      notified_approvers: emailsOf([b, a]),
    })
    expect(audit?.detail['notified_approvers']).toEqual(emailsOf([b, a]))
    expect(request.notified_approvers).toEqual(emailsOf([b, a]))
  })
})

describe('first_n', () => {
  const policy = { notification_policy: 'first_n', notification_count: 2 }

  test('tells the first members of the first group, exclusions first and then counting', async () => {
    const [a, b, c, d] = (await addPeople('a', 'b', 'c', 'd')) as [Person, Person, Person, Person]
    const [first, second] = [await addGroup([a, b, c]), await addGroup([d])]
    const template = await templateFor([first, second], policy)
    expect(await told(d, template)).toEqual(emailsOf([a, b]))
    expect(await told(a, template)).toEqual(emailsOf([b, c]))
  })

  test('tells nobody where nobody of the first group is left, though the second could decide', async () => {
    const [a, b] = (await addPeople('a', 'b')) as [Person, Person]
    const template = await templateFor([await addGroup([a]), await addGroup([b])], policy)
    const request = await submit(a, template)
    expect(request.notified_approvers).toEqual([])
    expect((await b.call('POST', `/access-requests/${request.id}/approve`)).status).toBe(200)
  })

  test('counts an empty first group as the first', async () => {
    const template = await templateFor([await addGroup([]), await addGroup(await addPeople('a'))], policy)
    expect(await told(await addPerson('asker'), template)).toEqual([])
  })

  test('tells as many as there are where the count is larger', async () => {
    const people = await addPeople('a', 'b')
    const template = await templateFor([await addGroup(people)], {
      ...policy,
      notification_count: 2_000_000_000,
    })
    expect(await told(await addPerson('asker'), template)).toEqual(emailsOf(people))
  })
})

describe('random_n', () => {
  test('tells as many as asked for, distinct, of all groups, never the requester; and each of them sometimes', async () => {
    const people = await addPeople('a', 'b', 'c', 'd')
    const asker = await addPerson('asker')
    const groups = [
      await addGroup([asker, ...people.slice(0, 3)]),
      await addGroup([...people.slice(1), asker]),
    ]
    const policy = { notification_policy: 'random_n', notification_count: 2 }
    const template = await templateFor(groups, policy)
    const seen = new Set<string>()
    for (let round = 0; round < 40 && seen.size < 4; round++) {
      const chosen = await told(asker, template)
      expect(new Set(chosen).size).toBe(2)
      for (const email of chosen) seen.add(email)
    }
    expect(seen).toEqual(new Set(emailsOf(people)))
  })
})

describe('round_robin', () => {
  const policy = (notification_count: number) => ({
    notification_policy: 'round_robin',
    notification_count,
  })

  test('goes round: groups in order, members by joining, duplicates once', async () => {
    const [a, b, c] = (await addPeople('a', 'b', 'c')) as [Person, Person, Person]
    const template = await templateFor([await addGroup([b, a]), await addGroup([a, c, b])], policy(2))
    const asker = await addPerson('asker')
    const turns = [await told(asker, template), await told(asker, template), await told(asker, template)]
    expect(turns).toEqual([emailsOf([b, a]), emailsOf([c, b]), emailsOf([a, c])])
  })

  test('skips the excluded, wraps, and tells each at most once', async () => {
    const [a, b, c] = (await addPeople('a', 'b', 'c')) as [Person, Person, Person]
    const template = await templateFor([await addGroup([a, b, c])], policy(5))
    expect(await told(b, template)).toEqual(emailsOf([a, c]))
    const asker = await addPerson('asker')
    expect((await told(asker, template)).toSorted()).toEqual(emailsOf([a, b, c]).toSorted())
  })

  test('of one takes turns among those who may decide', async () => {
    const [a, b, c] = (await addPeople('a', 'b', 'c')) as [Person, Person, Person]
    const template = await templateFor([await addGroup([a, b, c])], policy(1))
    expect(await told(a, template)).toEqual([b.email])
    expect(await told(a, template)).toEqual([c.email])
    expect(await told(b, template)).toEqual([a.email])
    expect(await told(c, template)).toEqual([b.email])
  })

  test.each([1, 3])(
    'under 20 parallel requests tells %i each time, and everybody equally often',
    async (count) => {
      const members = await addPeople('a', 'b', 'c', 'd')
      const askers = await addPeople(...Array.from({ length: 20 }, (_, at) => `asker${at}`))
      const template = await templateFor([await addGroup(members)], policy(count))
      const requests = await Promise.all(askers.map((asker) => submit(asker, template)))
      for (const { notified_approvers } of requests) expect(new Set(notified_approvers).size).toBe(count)
      const all = requests.flatMap(({ notified_approvers }) => notified_approvers)
      for (const { email } of members) expect(all.filter((each) => each === email)).toHaveLength(count * 5)
    },
  )

  test('keeps a cursor of its own for each template, and none where nobody is told', async () => {
    const [a, b] = (await addPeople('a', 'b')) as [Person, Person]
    const group = await addGroup([a, b])
    const [one, two] = [await templateFor([group], policy(1)), await templateFor([group], policy(1))]
    const asker = await addPerson('asker')
    expect([await told(asker, one), await told(asker, two), await told(asker, one)]).toEqual([
      [a.email],
      [a.email],
      [b.email],
    ])
  })

  test('is not moved by an auto-approval, nor by a submission that is refused', async () => {
    const members = await addPeople('a', 'b', 'c')
    const group = await addGroup(members)
    const auto = await templateFor([group], { ...policy(1), auto_approve: true })
    const asker = await addPerson('asker')
    expect((await submit(asker, auto)).notified_approvers).toEqual([])
    expect(await cursorOf(auto)).toBeUndefined()
    const template = await templateFor([group], policy(1))
    await submit(asker, template)
    const before = await cursorOf(template)
    for (const changes of [{}, { requested_duration_mins: 1 }, { justification: '' }]) {
      const body = { template_id: template, requested_duration_mins: 60, justification: 'x', ...changes }
      expect((await asker.call('POST', '/access-requests', body)).status).toBeGreaterThan(400)
    }
    expect(await cursorOf(template)).toBe(before)
  })

  test('survives an edit of the template', async () => {
    const [a, b] = (await addPeople('a', 'b')) as [Person, Person]
    const group = await addGroup([a, b])
    const template = await templateFor([group], policy(1))
    const asker = await addPerson('asker')
    expect(await told(asker, template)).toEqual([a.email])
    const { body } = await admin.call<Fields>('GET', `/access-request-templates/${template}`)
    const { id: _id, created_at: _c, updated_at: _u, ...input } = body
    await admin.call('PUT', `/access-request-templates/${template}`, { ...input, description: 'edited' })
    expect(await told(asker, template)).toEqual([b.email])
  })
})

describe('prefer_requester_groups', () => {
  test('tells only those who share a standing group with the requester, where some do', async () => {
    const [a, b, c] = (await addPeople('a', 'b', 'c')) as [Person, Person, Person]
    const asker = await addPerson('asker')
    await addGroup([b, asker])
    const group = await addGroup([a, b, c])
    const preferring = { prefer_requester_groups: true }
    expect(await told(asker, await templateFor([group], preferring))).toEqual([b.email])
    expect(await told(asker, await templateFor([group]))).toEqual(emailsOf([a, b, c]))
  })

  test('tells everybody whom the policy names where nobody shares one', async () => {
    const people = await addPeople('a', 'b')
    const template = await templateFor([await addGroup(people)], { prefer_requester_groups: true })
    expect(await told(await addPerson('asker'), template)).toEqual(emailsOf(people))
  })

  test('does not count memberships that have ended, nor temporary groups', async () => {
    const [a, b] = (await addPeople('a', 'b')) as [Person, Person]
    const asker = await addPerson('asker')
    const shared = await addGroup([b])
    await joinInThePast(shared, asker)
    const auto = await templateFor([], { auto_approve: true })
    await Promise.all([submit(a, auto), submit(asker, auto)])
    const template = await templateFor([await addGroup([a, b])], { prefer_requester_groups: true })
    expect(await told(asker, template)).toEqual(emailsOf([a, b]))
  })

  test('may tell fewer than the count, and lets the others decide all the same', async () => {
    const [a, b] = (await addPeople('a', 'b')) as [Person, Person]
    const asker = await addPerson('asker')
    await addGroup([asker, a])
    const template = await templateFor([await addGroup([a, b])], {
      prefer_requester_groups: true,
      notification_policy: 'round_robin',
      notification_count: 2,
    })
    const request = await submit(asker, template)
    expect(request.notified_approvers).toEqual([a.email])
    const approved = await b.call<AccessRequest>('POST', `/access-requests/${request.id}/approve`)
    expect(approved.body.decided_by).toBe(b.id)
  })

  test('narrows first_n to the first group still', async () => {
    const [a, b] = (await addPeople('a', 'b')) as [Person, Person]
    const asker = await addPerson('asker')
    await addGroup([asker, b])
    const template = await templateFor([await addGroup([a]), await addGroup([b])], {
      prefer_requester_groups: true,
      notification_policy: 'first_n',
    })
    expect(await told(asker, template)).toEqual([])
  })
})

describe('after an auto-approval that its block script refused', () => {
  test('the approvers are told by the policy', async () => {
    const [a, b] = (await addPeople('a', 'b')) as [Person, Person]
    const script = `export const run = () => { throw new Error('no') }`
    const task = await admin.call<{ id: string }>('POST', '/scheduled-tasks', { name: 'refuses', script })
    const template = await templateFor([await addGroup([a, b])], {
      auto_approve: true,
      trigger_task_id: task.body.id,
      trigger_task_failure_mode: 'block',
      notification_policy: 'round_robin',
    })
    const asker = await addPerson('asker')
    const { id } = await submit(asker, template)
    const request = await eventually('the approvers', async () => {
      const found = await getRequest(asker, id)
      return found.notified_approvers.length > 0 && found
    })
    expect(request).toMatchObject({ status: 'pending', notified_approvers: [a.email] })
    expect(await cursorOf(template)).toBe(1)
  })
})
