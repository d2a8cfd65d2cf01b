import type { Message } from '../../domain/access-request.ts'
import type { Actor } from '../audit.ts'
import { getRow, rows } from '../client.ts'
import type { Db } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'

export async function listMessages(db: Db, request_id: string, page: PageRequest): Promise<Page<Message>> {
  const found = await rows<Message>(db`
    select id, author_id, author_email, body, created_at from messages
    where request_id = ${request_id} and (${page.after}::uuid is null or id > ${page.after})
    order by id limit ${page.limit + 1}`)
  return toPage('messages', page, found)
}

/** The same id twice is the same message. */
export async function addMessage(
  db: Db,
  message: { id: string; request_id: string; author: Actor; body: string },
): Promise<Message> {
  const { id, request_id, author, body } = message
  await db`
    insert into messages (id, request_id, author_id, author_email, body)
    values (${id}, ${request_id}, ${author.id}, ${author.email}, ${body}) on conflict (id) do nothing`
  return getRow<Message>(
    db`select id, author_id, author_email, body, created_at from messages where id = ${id}`,
  )
}
