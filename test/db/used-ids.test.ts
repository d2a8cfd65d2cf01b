import { afterAll, beforeAll, expect, test } from 'vitest'

import { getRow } from '../../db/client.ts'
import { forgetEndedTokens, useOnce } from '../../db/oauth/used-ids.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const countIds = async () =>
  (await getRow<{ count: number }>(database.sql`select count(*)::int as count from used_ids`)).count

test('All that is over is forgotten at once, however many came since, and nothing that may come again', async () => {
  const { sql } = database
  await sql`
    insert into used_ids select sha256(n::text::bytea), clock_timestamp() - interval '2 minutes'
    from generate_series(1, 45000) n`
  const soon = Date.now() / 1_000 + 60
  expect(await useOnce(sql, ['assertion', 'a client', 'an id'], soon)).toBe(true)
  await forgetEndedTokens(sql)
  expect(await countIds()).toBe(1)
  expect(await useOnce(sql, ['assertion', 'a client', 'an id'], soon)).toBe(false)
  expect(await useOnce(sql, ['assertion', 'another', 'an id'], soon)).toBe(true)
})
