/** A browser as far as sign-in is concerned: cookies, redirects that a person looks at, and where a call comes from. */
export type Browser = {
  cookies: Map<string, string>
  /** Redirects are answered, not followed. @param path of the product, or a whole URL */
  go: (path: string, init?: RequestInit) => Promise<Response>
  /** As a page of the product calls. */
  post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>
}

function keep(cookies: Map<string, string>, origin: string, header: string): void {
  const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
  const at = pair.indexOf('=')
  const key = `${origin} ${pair.slice(0, at)}`
  const isGone = attributes.some((attribute) => /^max-age=0$/i.test(attribute))
  if (isGone) cookies.delete(key)
  else cookies.set(key, pair.slice(at + 1))
}

export function createBrowser(url: string): Browser {
  const cookies = new Map<string, string>()
  const go: Browser['go'] = async (path, init = {}) => {
    const target = new URL(path, url)
    const sent = [...cookies].filter(([key]) => key.startsWith(`${target.origin} `))
    const cookie = sent.map(([key, value]) => `${key.slice(key.indexOf(' ') + 1)}=${value}`).join('; ')
    const headers = { ...(cookie !== '' && { cookie }), ...(init.headers as Record<string, string>) }
    const response = await fetch(target, { redirect: 'manual', ...init, headers })
    for (const header of response.headers.getSetCookie()) keep(cookies, target.origin, header)
    return response
  }
  const post: Browser['post'] = (path, body = {}, headers = {}) =>
    go(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', origin: new URL(url).origin, ...headers },
    })
  return { cookies, go, post }
}

/** A refusal: its status and code. */
export async function refusalOf(response: Response): Promise<{ status: number; code: unknown }> {
  const { code } = (await response.json()) as { code: unknown }
  return { status: response.status, code }
}
