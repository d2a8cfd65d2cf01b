import postgres from 'postgres'

import type { Sql } from '../../db/client.ts'
import { findClientAccess } from '../../db/oauth/client-access.ts'

/** What PostgreSQL does for one mint: the statement as the product sends it, and its plan. */
export async function explainMint(database_url: string, client_id: string): Promise<string> {
  const seen: { text: string; parameters: unknown[] }[] = []
  const sql = postgres(database_url, {
    max: 1,
    debug: (_, text, parameters) => void seen.push({ text, parameters }),
  })
  await findClientAccess(sql as Sql, { client_id, slug: 'internal-db' })
  const asked = seen.find(({ text }) => text.includes('active_groups'))
  if (asked === undefined) throw new Error('the mint did not ask for anything')
  const plan = await sql.unsafe(
    `explain (analyze, buffers) ${asked.text}`,
    asked.parameters as postgres.ParameterOrJSON<never>[],
  )
  await sql.end()
  return plan.map((row) => String(row['QUERY PLAN'])).join('\n')
}
