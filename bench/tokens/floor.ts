import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'

import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { SignJWT } from 'jose'
import postgres from 'postgres'

import { basicOf } from './contender.ts'
import type { Contender, Place } from './contender.ts'
import { cores, firstLine, startScript, switchesOf } from './pinned.ts'

const client = { id: randomUUID(), secret: 'floor-secret' }
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

/** The least that a token server of this kind can do: look the client up, compare, sign. */
async function serveFloor(database_url: string): Promise<number> {
  const sql = postgres(database_url, { max: 10 })
  await sql`create table if not exists clients (id uuid primary key, secret_hash text not null)`
  await sql`insert into clients values (${client.id}, ${hashOf(client.secret)})`
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const app = new Hono()
  app.post('/token', async (c) => {
    const { grant_type } = await c.req.parseBody()
    const shown = Buffer.from(c.req.header('authorization')?.slice(6) ?? '', 'base64').toString()
    const [id = '', secret = ''] = shown.split(':')
    const [row] = await sql`select secret_hash from clients where id = ${id}`
    if (grant_type !== 'client_credentials' || row?.['secret_hash'] !== hashOf(secret))
      return c.body(null, 401)
    const iat = Math.floor(Date.now() / 1_000)
    const said = { iss: 'http://floor', aud: 'app', sub: id, iat, exp: iat + 300, jti: randomUUID() }
    const token = await new SignJWT(said).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).sign(privateKey)
    return c.json({ access_token: token, token_type: 'Bearer', expires_in: 300 })
  })
  return new Promise((resolve) =>
    serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port)),
  )
}

/** Hono, jose and one query, in a process of its own. */
export async function startFloor({ databaseUrl }: Place): Promise<Contender> {
  const child = startScript(cores.server, './floor.ts', await databaseUrl('floor'))
  const { port, id, secret } = JSON.parse(await firstLine(child)) as {
    port: number
    id: string
    secret: string
  }
  return {
    name: 'floor: Hono, jose, one query',
    warm_up: 5,
    request: {
      url: `http://127.0.0.1:${port}/token`,
      authorization: basicOf(id, secret),
      body: 'grant_type=client_credentials',
    },
    ...switchesOf(child),
  }
}

if (import.meta.main) {
  const port = await serveFloor(JSON.parse(process.argv[2] ?? '""') as string)
  process.stdout.write(`${JSON.stringify({ port, ...client })}\n`)
}
