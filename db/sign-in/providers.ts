import { rows } from '../client.ts'
import type { Db } from '../client.ts'

/** Those by which people can sign in. */
export const listEnabledProviders = (db: Db): Promise<{ id: string; name: string }[]> =>
  rows(db`select id, name from sign_in_providers where enabled order by lower(name)`)
