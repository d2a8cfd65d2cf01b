import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { connect, transaction } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import { judge } from './judge.ts'
import { loadTimelines } from './load.ts'
import { createRandom } from './random.ts'
import { prepareClock, readTimelines } from './read.ts'
import type { Said } from './read.ts'
import { drawTimeline } from './timeline.ts'
import type { Timeline } from './timeline.ts'

/** `TIMELINES=1000000 npm test -- test/timelines` looks at that many; a failure names the seed that repeats it. */
const total = Number(process.env['TIMELINES'] ?? 20_000)
const seed = Number(process.env['TIMELINES_SEED'] ?? Date.now() % 1_000_000_000)
const perBatch = 4_000

let database: TestDatabase
let sql: Sql
beforeAll(async () => {
  database = await createTestDatabase()
  sql = connect(database.url, { max: 1, statement_timeout_ms: 120_000 })
  await prepareClock(sql)
})
afterAll(async () => {
  await sql.end()
  await database.drop()
})

const look = (timelines: Timeline[]): Promise<Said[]> =>
  transaction(sql, async (tx) => {
    await loadTimelines(tx, timelines)
    return readTimelines(tx, timelines)
  })

async function findFault(batch: number, size: number): Promise<string | undefined> {
  const random = createRandom(seed + batch)
  const timelines = Array.from({ length: size }, () => drawTimeline(random))
  const said = await look(timelines)
  for (const [number, timeline] of timelines.entries()) {
    const each = said[number]
    const fault = each === undefined ? 'no answer' : judge(timeline, number, each)
    if (fault !== undefined)
      return `TIMELINES_SEED=${seed}, batch ${batch}, number ${number}: ${fault} of ${JSON.stringify(timeline)}`
  }
  return undefined
}

test(
  `What is held, and what a token says, is what a naive reading of ${total} random timelines says`,
  async () => {
    for (let batch = 0, left = total; left > 0; batch++, left -= perBatch)
      expect(await findFault(batch, Math.min(perBatch, left))).toBeUndefined()
    process.stderr.write(`  ${total} timelines, TIMELINES_SEED=${seed}\n`)
  },
  60_000 + total * 10,
)

const group = { ends: null, mappings: [0] }
const held: Timeline = {
  at: 100_000,
  is_active: true,
  ends: null,
  memberships: [{ ends: null, group }],
  others: [],
  grants: [],
}
const grant = (ends: number) => ({
  ends,
  group: { ...group, ends },
  is_ended: false,
  revocation: null,
})

describe('the timelines', () => {
  test('are of every kind: some with a token, some without, some to the millisecond', () => {
    const random = createRandom(7)
    const timelines = Array.from({ length: 2_000 }, () => drawTimeline(random))
    const share = (is: (timeline: Timeline) => boolean) => timelines.filter(is).length / timelines.length
    const ends = ({ memberships, grants, ends }: Timeline) => [
      ends,
      ...memberships.map((each) => each.ends),
      ...grants.map((each) => each.ends),
    ]
    expect(share(({ is_active }) => !is_active)).toBeGreaterThan(0.02)
    for (const distance of [-1, 0, 1, 999, 1_000, 1_001])
      expect(share((timeline) => ends(timeline).includes(timeline.at + distance))).toBeGreaterThan(0.02)
    expect(share(({ grants }) => grants.some(({ revocation }) => revocation === 'queued'))).toBeGreaterThan(
      0.05,
    )
  })

  test('are judged: a product that says more, less or for longer is found out', async () => {
    const timelines = [held, { ...held, grants: [grant(150_000)] }]
    const [first, second] = await look(timelines)
    if (!first?.token || !first.api_token || !second?.token) throw new Error('there is no token')
    expect(judge(held, 0, first)).toBeUndefined()
    const { token, api_token } = first
    const wrong: Said[] = [
      { ...first, held: [] },
      { ...first, carried: [] },
      { ...first, token: null },
      { ...first, api_token: null },
      { ...first, token: { ...token, claims: {} } },
      { ...first, token: { ...token, claims: { roles: ['reader', 'writer'] } } },
      { ...first, token: { ...token, exp: token.exp + 1 } },
      { ...first, token: { ...token, exp: token.exp - 1 } },
      { ...first, token: { ...token, groups: [] } },
      { ...first, api_token: { ...api_token, exp: api_token.exp + 1 } },
    ]
    for (const said of wrong) expect(judge(held, 0, said)).toEqual(expect.any(String))
    for (const changed of [
      { ...held, is_active: false },
      { ...held, ends: 100_000 },
      { ...held, memberships: [] },
    ])
      expect(judge(changed, 0, first)).toEqual(expect.any(String))
  })

  test.each<[string, Timeline, number | null, string[]]>([
    ['a grant that ends now', { ...held, memberships: [], grants: [grant(100_000)] }, 400, []],
    ['a grant that ends in a millisecond', { ...held, memberships: [], grants: [grant(100_001)] }, 400, []],
    ['a grant that ends in a second', { ...held, memberships: [], grants: [grant(101_000)] }, 400, []],
    [
      'a grant that ends a millisecond later',
      { ...held, memberships: [], grants: [grant(101_001)] },
      101,
      ['reader'],
    ],
    ['a grant that ends in 1.999 s', { ...held, memberships: [], grants: [grant(101_999)] }, 101, ['reader']],
    ['a grant beside a standing membership', { ...held, grants: [grant(150_999)] }, 150, ['reader']],
    [
      'an ended grant beside an active one',
      { ...held, memberships: [], grants: [{ ...grant(150_000), is_ended: true }, grant(160_000)] },
      160,
      ['reader'],
    ],
    [
      'a grant whose revocation is queued',
      { ...held, memberships: [], grants: [{ ...grant(150_000), revocation: 'queued' }] },
      400,
      [],
    ],
    [
      'a grant whose revocation was rejected',
      { ...held, memberships: [], grants: [{ ...grant(150_000), revocation: 'rejected' }] },
      150,
      ['reader'],
    ],
    ['an identity that ends', { ...held, ends: 130_500 }, 130, ['reader']],
    ['an identity that ends in a second', { ...held, ends: 101_000 }, null, []],
    ['a disabled identity', { ...held, is_active: false }, null, []],
    [
      'a group that has ended',
      { ...held, memberships: [{ ends: null, group: { ...group, ends: 99_999 } }] },
      400,
      [],
    ],
    [
      'a mapping of another application',
      { ...held, memberships: [{ ends: null, group: { ...group, mappings: [3] } }] },
      400,
      [],
    ],
  ])('of %s are read as one says', async (_, timeline, exp, roles) => {
    const [said] = await look([timeline])
    if (said === undefined) throw new Error('there is no answer')
    expect(judge(timeline, 0, said)).toBeUndefined()
    const end = said.token && said.token.exp - Date.parse('2026-01-01T00:00:00Z') / 1_000
    expect([end, said.token?.claims['roles'] ?? []]).toEqual([exp, roles])
  })
})
