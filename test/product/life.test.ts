import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import type { Run } from '../../domain/script-task.ts'
import { workflowId } from '../../workflows/contract.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
let alice: Caller
let bob: Caller
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, bob, admin] = await Promise.all([it.as('alice'), it.as('bob'), it.as('admin')])
})
afterAll(() => it.close())

const approve = (caller: Caller, id: string, comment?: string) =>
  caller.call<AccessRequest>('POST', `/access-requests/${id}/approve`, { comment })

async function mint(caller: Caller) {
  const { data } = (await caller.call<{ data: { id: string }[] }>('GET', '/applications')).body
  const { body, status } = await caller.call<{ access_token: string; expires_in: number }>(
    'POST',
    `/applications/${data[0]?.id}/token`,
  )
  expect(status).toBe(200)
  return decodeJwt<{ roles?: string[]; groups: string[] }>(body.access_token)
}

test('a request lives its life: asked, told, approved, in the token, revoked, out of the token, and all of it on record', async () => {
  const template = await it.template({ name: 'A life' })
  const request = await submit(alice, template.id)
  expect(request).toMatchObject({
    status: 'pending',
    decision: null,
    requester_email: 'alice@example.com',
    subject_name: 'Alice',
    app_name: 'Internal DB',
    notified_approvers: ['bob@example.com', 'dana@example.com'],
    mappings: [{ claim: 'roles', value: 'db-readonly' }],
  })
  expect((await mint(alice)).roles).toBeUndefined()

  const waiting = await bob.call<{ data: AccessRequest[] }>('GET', '/access-requests/pending')
  expect(waiting.body.data.map(({ id }) => id)).toContain(request.id)

  const approved = await approve(bob, request.id, 'Fine.')
  expect(approved.status).toBe(200)
  expect(approved.body).toMatchObject({
    status: 'approved',
    decision: 'approved',
    decided_by: bob.id,
    comment: 'Fine.',
  })
  expect(Date.parse(approved.body.expires_at ?? '') - Date.parse(approved.body.decided_at ?? '')).toBe(
    3_600_000,
  )

  const token = await mint(alice)
  expect(token).toMatchObject({
    aud: 'internal-db',
    sub: alice.id,
    roles: ['db-readonly'],
    email: 'alice@example.com',
  })
  expect(token.groups).toContain(`__access_req_${request.id}`)

  const revoked = await bob.call<AccessRequest>('POST', `/access-requests/${request.id}/revoke`, {
    comment: 'Over.',
  })
  expect(revoked.body).toMatchObject({
    status: 'revoked',
    decision: 'approved',
    revoked_by: bob.id,
    revoke_comment: 'Over.',
  })
  expect((await mint(alice)).roles).toBeUndefined()

  const record = await eventually('the three runs of the logger', async () => {
    const found = await getRequest(admin, request.id)
    return (
      found.timeline.filter(({ kind, detail }) => kind === 'trigger_run' && detail.status === 'succeeded')
        .length === 3 && found
    )
  })
  const kinds = record.timeline.map(({ kind }) => kind).filter((kind) => kind !== 'trigger_run')
  expect(kinds).toEqual(['submitted', 'approved', 'token.issued', 'revoked'])
  const handle = it.client.workflow.getHandle(workflowId(request.id))
  expect(await handle.result()).toBe('revoked')
  expect(record.workflow_url).toContain(encodeURIComponent(workflowId(request.id)))
})

test('the event logger returns the text of its source, line by line', async () => {
  const template = await it.template()
  const request = await submit(alice, template.id, { justification: 'Two\nlines' })
  const run = await eventually('the run', async () => {
    const [found] = await rows<Run>(it.sql`
      select * from script_runs where request_id = ${request.id} and trigger = 'created' and status <> 'running'`)
    return found
  })
  expect(run).toMatchObject({ status: 'succeeded', ended_by: 'returned', attempt: 1, version: 1 })
  expect(run.result).toBe(
    [
      '=== access_request.created ===',
      `  Request ID:      ${request.id}`,
      '  Status:          pending',
      `  Template:        ${String(template.name)}`,
      '  App:             Internal DB',
      '  Requester:       Alice (alice@example.com)',
      '  Justification:   Two\nlines',
    ].join('\n'),
  )
  expect(run.log.map(({ text }) => text).join('\n')).toContain('=== access_request.created ===')
})

test('a denied request gives nothing and is final', async () => {
  const template = await it.template()
  const request = await submit(alice, template.id)
  const denied = await bob.call<AccessRequest>('POST', `/access-requests/${request.id}/deny`, {
    comment: 'No.',
  })
  expect(denied.body).toMatchObject({ status: 'denied', decision: 'denied', comment: 'No.' })
  const late = await approve(bob, request.id)
  expect(late).toMatchObject({ status: 409, body: { code: 'request_not_pending', request_status: 'denied' } })
  expect((await mint(alice)).roles).toBeUndefined()
})

test('a cancelled request reads as cancelled, not as decided', async () => {
  const template = await it.template()
  const request = await submit(alice, template.id)
  const cancelled = await alice.call<AccessRequest>('POST', `/access-requests/${request.id}/revoke`)
  expect(cancelled).toMatchObject({
    status: 200,
    body: {
      status: 'revoked',
      decision: 'cancelled',
      decided_by: null,
      decision_source: null,
      revoked_by: alice.id,
    },
  })
})

test('an auto-approving template answers with the access given, and tells nobody', async () => {
  const template = await it.template({ auto_approve: true })
  const request = await submit(alice, template.id)
  expect(request).toMatchObject({
    status: 'approved',
    decision: 'approved',
    decided_by: null,
    decision_source: 'auto',
    notified_approvers: [],
  })
})

test('two overlapping grants of the same mapping never end each other', async () => {
  const [one, two] = await Promise.all([
    it.template({ auto_approve: true }),
    it.template({ auto_approve: true }),
  ])
  const [first, second] = [await submit(alice, one.id), await submit(alice, two.id)]
  await alice.call('POST', `/access-requests/${first.id}/revoke`)
  expect((await mint(alice)).roles).toEqual(['db-readonly'])
  await alice.call('POST', `/access-requests/${second.id}/revoke`)
})
