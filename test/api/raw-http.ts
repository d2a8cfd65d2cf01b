import { connect } from 'node:net'

/** What came back over a bare socket; `body` is its JSON, or its text where it is none. */
export type RawAnswer = { status: number; headers: Headers; body: unknown; text: string }

const parseBody = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The data of chunks, for bodies without a Content-Length. */
const unchunk = (text: string): string =>
  text.replaceAll(/(?:^|\r\n)[\da-f]+\r\n/gi, '').replace(/\r\n\r\n$/, '')

function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [status = '', ...lines] = head.split('\r\n')
  const headers = new Headers(lines.map((line) => line.split(/:\s*/, 2) as [string, string]))
  const sent = rest.join('\r\n\r\n')
  const body = headers.get('transfer-encoding') === 'chunked' ? unchunk(sent) : sent
  return { status: Number(status.split(' ')[1]), headers, body: parseBody(body), text: body }
}

/** Sends exactly this, piece by piece, and reads until the server closes; ask it to with `Connection: close`. */
export function exchange(url: string, pieces: (string | Buffer)[]): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const received: Buffer[] = []
    const socket = connect(Number(port), hostname)
    const end = () => {
      const text = Buffer.concat(received).toString('utf8')
      if (text === '') reject(new Error('the server closed without an answer'))
      else resolve(parseAnswer(text))
    }
    socket.on('data', (piece) => received.push(piece))
    socket.on('close', end)
    // The server may close before it has read everything.
    socket.on('error', () => undefined)
    socket.setTimeout(15_000, () => socket.destroy())
    for (const piece of pieces) socket.write(piece)
  })
}

/** A request with these headers, as text. */
export const requestText = (method: string, target: string, headers: Record<string, string>, body = '') =>
  [
    `${method} ${target} HTTP/1.1`,
    'Host: hallpass.test',
    'Connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n')
