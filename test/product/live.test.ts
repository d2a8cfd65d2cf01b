import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { eventually, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
/** Where people sign in by name. */
let local: TestProduct
let alice: Caller
let bob: Caller
let carol: Caller
let admin: Caller

beforeAll(async () => {
  ;[it, local] = await Promise.all([startTestProduct(), startTestProduct({ public_url: 'http://127.0.0.1' })])
  ;[alice, bob, carol, admin] = (await Promise.all(['alice', 'bob', 'carol', 'admin'].map(it.as))) as [
    Caller,
    Caller,
    Caller,
    Caller,
  ]
})
afterAll(() => Promise.all([it.close(), local.close()]))

type Heard = { kind: string; request_id: string }
type Watch = { status: number; heard: Heard[]; isOver: () => boolean; stop: () => void }

const eventsIn = (text: string): Heard[] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as Heard)

/** Watches as this caller; resolves once the server has answered. */
async function watch(headers: Record<string, string>, url = it.url): Promise<Watch> {
  const ending = new AbortController()
  const response = await fetch(`${url}/api/v1/events`, { headers, signal: ending.signal })
  const heard: Heard[] = []
  let isOver = false
  const read = async () => {
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString()
      const whole = text.lastIndexOf('\n\n')
      heard.push(...eventsIn(text.slice(0, whole + 2)))
      text = text.slice(whole + 2)
    }
  }
  void read()
    .catch(() => undefined)
    .finally(() => (isOver = true))
  return { status: response.status, heard, isOver: () => isOver, stop: () => ending.abort() }
}

const watchAs = ({ token }: Caller) => watch({ authorization: `Bearer ${token}` })

const kindsOf = ({ heard }: Watch, request: { id: string }) =>
  heard.filter(({ request_id }) => request_id === request.id).map(({ kind }) => kind)

const hears = (watching: Watch, request: { id: string }, kind: string) =>
  eventually(`${kind} to be told`, () => Promise.resolve(kindsOf(watching, request).includes(kind)))

describe('the stream of events', () => {
  test('tells requester, approver and admin of submission, message and decision, and of nothing what it says', async () => {
    const watching = await Promise.all([alice, bob, admin].map(watchAs))
    const request = await submit(alice, (await it.template()).id)
    await alice.call('POST', `/access-requests/${request.id}/messages`, { body: 'Please.' })
    await bob.call('POST', `/access-requests/${request.id}/approve`)
    for (const one of watching) {
      for (const kind of ['submitted', 'message', 'approved', 'run']) await hears(one, request, kind)
      for (const event of one.heard) expect(Object.keys(event).sort()).toEqual(['kind', 'request_id'])
      one.stop()
    }
  })

  test('tells nothing of a request to who may not see it', async () => {
    const [outsider, insider] = await Promise.all([watchAs(carol), watchAs(bob)])
    const request = await submit(alice, (await it.template({ name: 'Not for Carol' })).id)
    await hears(insider, request, 'submitted')
    await bob.call('POST', `/access-requests/${request.id}/deny`)
    await hears(insider, request, 'denied')
    expect(kindsOf(outsider, request)).toEqual([])
    insider.stop()
    outsider.stop()
  })

  test('tells of a block run when it begins and when it ends', async () => {
    const { body: task } = await admin.call<{ id: string }>('POST', '/scheduled-tasks', {
      name: 'a gate that tells',
      script: `export const run = () => { throw new Error('closed') }`,
    })
    const changes = { trigger_task_id: task.id, trigger_task_failure_mode: 'block' }
    const request = await submit(alice, (await it.template(changes)).id)
    const watching = await watchAs(bob)
    expect((await bob.call('POST', `/access-requests/${request.id}/approve`)).status).toBe(409)
    await eventually('both', () =>
      Promise.resolve(kindsOf(watching, request).filter((kind) => kind === 'block_run').length >= 2),
    )
    watching.stop()
  })

  test('is refused without a credential', async () => {
    expect((await watch({})).status).toBe(401)
  })

  test('is refused to somebody who watches from eight places, and given again when one of them is closed', async () => {
    const watching = await Promise.all(Array.from({ length: 8 }, () => watchAs(carol)))
    expect(watching.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect((await watchAs(carol)).status).toBe(429)
    watching[0]?.stop()
    const again = await eventually('room', async () => {
      const one = await watchAs(carol)
      return one.status === 200 && one
    })
    for (const one of [...watching, again]) one.stop()
  })

  test('ends when the token is revoked', async () => {
    const watching = await watchAs(carol)
    const { jti, exp } = decodeJwt(carol.token)
    await it.sql`insert into revoked_tokens (jti, expires_at) values (${jti ?? ''}, to_timestamp(${exp ?? 0}))`
    await eventually('the end', () => Promise.resolve(watching.isOver()), 60_000)
  }, 90_000)

  test('tells nothing to whoever has signed out, been disabled, or lost the role by which they saw', async () => {
    const signIn = async (name: string): Promise<string> => {
      const origin = local.url
      const headers = { origin, 'content-type': 'application/json' }
      const body = JSON.stringify({ email: `${name}@example.com` })
      const answer = await fetch(`${origin}/auth/local`, { method: 'POST', headers, body })
      return answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    }
    const cookie = await signIn('bob')
    const [signedOut, dana, manager] = await Promise.all([
      watch({ cookie }, local.url),
      watch({ cookie: await signIn('dana') }, local.url),
      watch({ cookie: await signIn('admin') }, local.url),
    ])
    const requester = await local.as('alice')
    const template_id = (await local.template({ name: 'Watched' })).id
    const before = await submit(requester, template_id)
    for (const watching of [signedOut, dana, manager]) await hears(watching, before, 'submitted')
    const out = { method: 'POST', headers: { cookie, origin: local.url } }
    expect((await fetch(`${local.url}/auth/sign-out`, out)).status).toBe(204)
    await local.sql`update identities set status = 'disabled' where email = 'dana@example.com'`
    await local.sql`update groups set permissions = '{}' where name = 'admins'`
    await requester.call('POST', `/access-requests/${before.id}/revoke`, {})
    const witness = await watch({ authorization: `Bearer ${requester.token}` }, local.url)
    const after = await submit(requester, template_id)
    await hears(witness, after, 'submitted')
    await eventually('the end of the session to be the end of the stream', () =>
      Promise.resolve(signedOut.isOver()),
    )
    for (const watching of [signedOut, dana, manager]) {
      expect(kindsOf(watching, before)).not.toContain('revoked')
      expect(kindsOf(watching, after)).toEqual([])
      watching.stop()
    }
    witness.stop()
  })

  test('ends when the server has lost sight of the database', async () => {
    const watching = await watchAs(bob)
    await it.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query ilike '%listen%'`
    await eventually('the end', () => Promise.resolve(watching.isOver()))
  })
})
