import { heedServerClock } from './clock.ts'
import { noAnswer, readProblem } from './problem.ts'
import type { Routes } from './routes.ts'

type ParamsOf<Name extends string> = Name extends `${string}{${infer Param}}${infer Rest}`
  ? { [Key in Param]: string } & ParamsOf<Rest>
  : object

type Given<Key extends string, Route> = Route extends { [_ in Key]: infer Value } ? Value : undefined

/** What a call of this route takes: its path's parameters, its query, its body. */
export type CallOptions<Name extends keyof Routes> = (object extends ParamsOf<Name>
  ? { params?: undefined }
  : { params: ParamsOf<Name> }) &
  (Routes[Name] extends { query: object }
    ? { query?: Given<'query', Routes[Name]> }
    : { query?: undefined }) &
  (Routes[Name] extends { body: object } ? { body: Given<'body', Routes[Name]> } : { body?: undefined }) & {
    /** The ETag that must still be the resource's. */
    if_match?: string | undefined
    signal?: AbortSignal
  }

/** A proxy that compresses marks the tag as weak. What it names is the version, which is the same. */
const etagOf = (response: Response) => response.headers.get('etag')?.replace(/^W\//, '')

/** `etag` is what a later write can ask for; `status` tells 200 from 202. */
export type Answer<Body> = { status: number; etag: string | undefined; body: Body }

type Parts = { params?: object | undefined; query?: object | undefined }

function addressOf(name: string, { params = {}, query = {} }: Parts): { method: string; url: string } {
  const [method = 'GET', path = ''] = name.split(' ')
  const values = new Map(Object.entries<string>({ ...params }))
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(values.get(key) ?? ''))
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries<string | number | undefined>({ ...query })) {
    if (value !== undefined && value !== '') search.set(key, String(value))
  }
  const root = path.startsWith('/auth/') ? '' : '/api/v1'
  return { method, url: `${root}${filled}${search.size > 0 ? `?${search}` : ''}` }
}

async function fetchOnce(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw noAnswer()
  }
}

/** Calls a route and answers with what it says beside its body too. @throws Problem */
export async function send<Name extends keyof Routes>(
  name: Name,
  options: CallOptions<Name>,
): Promise<Answer<Routes[Name]['answer']>> {
  const { params, query, body, if_match, signal } = options
  const { method, url } = addressOf(name, { params, query })
  const response = await fetchOnce(url, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(if_match !== undefined && { 'if-match': if_match }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  })
  heedServerClock(response.headers.get('date'))
  if (!response.ok) throw await readProblem(response)
  const text = await response.text()
  return { status: response.status, etag: etagOf(response), body: JSON.parse(text === '' ? 'null' : text) }
}

/** Calls a route of the API: `call('GET /access-requests/{id}', { params: { id } })`. @throws Problem */
export async function call<Name extends keyof Routes>(
  name: Name,
  options: CallOptions<Name>,
): Promise<Routes[Name]['answer']> {
  return (await send(name, options)).body
}
