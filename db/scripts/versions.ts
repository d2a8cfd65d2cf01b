import { DomainError } from '../../domain/errors.ts'
import type { ScriptTaskInput, ScriptTaskVersion } from '../../domain/script-task.ts'
import { findRow, rows } from '../client.ts'
import type { Db } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'

type Row = {
  task_id: string
  version: number
  definition: ScriptTaskInput
  created_by: string | null
  created_at: string
}

const columns = (db: Db) => db`task_id, version, definition, created_by, created_at`

const asVersion = ({ definition, ...row }: Row) => ({ ...definition, ...row }) as ScriptTaskVersion

/** Every version, newest first. */
export async function listVersions(
  db: Db,
  task_id: string,
  page: PageRequest,
): Promise<Page<ScriptTaskVersion>> {
  const found = await rows<Row>(db`
    select ${columns(db)} from script_task_versions
    where task_id = ${task_id} and (${page.after}::int is null or version < ${page.after}::int)
    order by version desc limit ${page.limit + 1}`)
  const numbered = found.map((row) => ({ ...row, id: String(row.version) }))
  const { data, next_cursor } = toPage('versions', page, numbered)
  return { data: data.map(({ id: _, ...row }) => asVersion(row)), next_cursor }
}

type Key = { id: string; version: number }

async function getStored(db: Db, { id, version }: Key): Promise<Row> {
  const row = await findRow<Row>(db`
    select ${columns(db)} from script_task_versions where task_id = ${id} and version = ${version}`)
  if (row === undefined) throw new DomainError('not_found', 'There is no such version of this script task.')
  return row
}

/** @throws DomainError `not_found` */
export const getVersion = async (db: Db, key: Key): Promise<ScriptTaskVersion> =>
  asVersion(await getStored(db, key))

/** What an admin sent at the time. @throws DomainError `not_found` */
export const getDefinition = async (db: Db, key: Key): Promise<ScriptTaskInput> =>
  (await getStored(db, key)).definition
