/** Who answers token requests, and how one is asked for there. */
export type Contender = {
  name: string
  /** Seconds that it needs to become as fast as it gets. */
  warm_up: number
  request: { url: string; authorization: string; body: string }
  /** Not a moment of the core while others are measured. */
  pause: () => void
  resume: () => void
  close: () => Promise<void>
}

export const basicOf = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

/** Where the databases of all of them are. */
export type Place = { url: string; databaseUrl: (name: string) => Promise<string> }

type Sent = { method?: string; authorization?: string; type?: string; body?: unknown }

/** An administrative call. @throws unless it is answered with 2xx */
export async function callJson<Body>(url: string, sent: Sent = {}): Promise<Body> {
  const { method = 'POST', authorization, type = 'application/json', body } = sent
  const response = await fetch(url, {
    method,
    headers: { 'content-type': type, ...(authorization !== undefined && { authorization }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`)
  return JSON.parse(text === '' ? 'null' : text) as Body
}
