import type { Sql } from '../db/client.ts'
import { createFirstAdminLink } from '../db/sign-in/links.ts'

/** Tells whoever starts the product how its first admin comes in, while there is none. */
export async function offerFirstAdmin(
  sql: Sql,
  public_url: string,
  say: (line: string) => void,
): Promise<void> {
  const code = await createFirstAdminLink(sql)
  if (code === undefined) return
  say('There is no admin yet. Whoever opens this link first, within 24 hours, becomes the first one:')
  say(`  ${public_url}/welcome#code=${code}`)
}
