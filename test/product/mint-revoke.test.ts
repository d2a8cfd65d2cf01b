import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { getRow } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import { callerOf, eventually, getRequest, startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { createRandom } from '../timelines/random.ts'

/** `TRIALS=500 npm test -- test/product/mint-revoke` does that many. */
const trials = Number(process.env['TRIALS'] ?? 6)
const racers = 20
const random = createRandom(Number(process.env['TRIALS_SEED'] ?? Date.now() % 1_000_000_000))

/** Two API processes on one database. */
let one: TestProduct
let two: TestProduct
let alice: Caller
let admin: Caller
let template_id: string
let app_id: string
let machine: { id: string; client_secret: string }

beforeAll(async () => {
  const secrets_key = [randomBytes(32)]
  one = await startTestProduct({ secrets_key })
  two = await startTestProduct({ secrets_key, database_url: one.database_url, without_worker: true })
  ;[admin, alice] = (await Promise.all(['admin', 'alice'].map(one.as))) as [Caller, Caller]
  template_id = (await one.template({ auto_approve: true, trigger_task_id: null })).id
  app_id = (await getRow<{ id: string }>(one.sql`select id from applications`)).id
  machine = await addMachine()
}, 120_000)
afterAll(async () => {
  await two.close()
  await one.close()
})

async function addMachine() {
  const name = `bot-${randomUUID()}`
  const { body } = await admin.call<{ id: string }>('POST', '/identities', {
    kind: 'service_account',
    email: name,
    display_name: name,
    owner_id: alice.id,
    purpose: 'A race',
    privilege_class: 'low',
    rotation_days: 90,
  })
  const credential = { type: 'client_secret' }
  const made = await admin.call<{ client_secret: string }>(
    'POST',
    `/identities/${body.id}/credentials`,
    credential,
  )
  return { id: body.id, client_secret: made.body.client_secret }
}

type Minted = { access_token: string }
type Mint = (product: TestProduct) => Promise<string>

const byClientCredentials: Mint = async ({ url }) => {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: 'internal-db',
    client_id: machine.id,
    client_secret: machine.client_secret,
  })
  const response = await fetch(`${url}/oauth/token`, { method: 'POST', body })
  if (response.status !== 200) throw new Error(`the mint was answered ${response.status}`)
  return ((await response.json()) as Minted).access_token
}

const byCaller: Mint = async ({ url }) => {
  const { status, body } = await callerOf(url, alice.token)<Minted>('POST', `/applications/${app_id}/token`)
  if (status !== 200) throw new Error(`the mint was answered ${status}`)
  return body.access_token
}

/** How a token came: with the claim or without, and when it was asked for. */
type Seen = { has_claim: boolean; begun: number; token: string }

const hasClaim = (token: string) => Array.isArray(decodeJwt(token)['roles'])

async function race(mint: Mint, over: AbortSignal): Promise<Seen[]> {
  const seen: Seen[] = []
  const run = async (index: number) => {
    while (!over.aborted) {
      const begun = performance.now()
      const token = await mint(index % 2 === 0 ? one : two)
      seen.push({ has_claim: hasClaim(token), begun, token })
    }
  }
  await Promise.all(Array.from({ length: racers }, (_, index) => run(index)))
  return seen
}

async function introspect(token: string): Promise<boolean> {
  const response = await fetch(`${two.url}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin.token}` },
    body: new URLSearchParams({ token }),
  })
  return ((await response.json()) as { active: boolean }).active
}

/** Access that is approved at once, or as soon as the engine has the time. */
async function grant(subject: { subject_id?: string }): Promise<string> {
  const wish = { template_id, requested_duration_mins: 60, justification: 'A race.', ...subject }
  const { body } = await alice.call<AccessRequest>('POST', '/access-requests', wish)
  await eventually('the approval', async () => (await getRequest(alice, body.id)).status === 'approved')
  return body.id
}

/** One grant: taken away while everybody mints. */
async function attempt(trial: number) {
  const isMachine = trial % 2 === 0
  const request_id = await grant(isMachine ? { subject_id: machine.id } : {})
  const over = new AbortController()
  const racing = race(isMachine ? byClientCredentials : byCaller, over.signal)
  await sleep(10 + random.whole(60))
  const revoker = callerOf((trial % 4 < 2 ? one : two).url, alice.token)
  const { status } = await revoker('POST', `/access-requests/${request_id}/revoke`)
  const answered = performance.now()
  expect([200, 202]).toContain(status)
  await sleep(60)
  over.abort()
  return { seen: await racing, answered }
}

test(
  `Of ${trials} × ${racers} racers that mint while access is revoked none gets the claim once the revocation is answered`,
  async () => {
    const counts = { before: 0, without: 0, after: 0, late: 0 }
    for (let trial = 0; trial < trials; trial++) {
      const { seen, answered } = await attempt(trial)
      const late = seen.filter(({ begun, has_claim }) => begun > answered && has_claim)
      counts.before += seen.filter(({ has_claim }) => has_claim).length
      counts.without += seen.filter(({ has_claim }) => !has_claim).length
      counts.after += seen.filter(({ begun }) => begun > answered).length
      counts.late += late.length
      const carried = seen.find(({ has_claim }) => has_claim)
      if (carried !== undefined) expect(await introspect(carried.token)).toBe(false)
    }
    process.stderr.write(`  ${trials} trials: ${JSON.stringify(counts)}\n`)
    expect(counts.late).toBe(0)
    expect(Math.min(counts.before, counts.without, counts.after)).toBeGreaterThan(0)
  },
  60_000 + trials * 5_000,
)
