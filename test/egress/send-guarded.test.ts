import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { sendGuarded } from '../../egress/send-guarded.ts'
import type { EgressPolicy, GuardedRequest, Resolve } from '../../egress/send-guarded.ts'
import { startHttp, startTls, trustCertificate } from './servers.ts'
import type { LocalServer } from './servers.ts'

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string }

let plain: LocalServer
let secured: LocalServer
let seen: Seen[] = []
let sockets = 0

const answers: Record<string, { status?: number; headers?: Record<string, string>; body?: string | Buffer }> =
  {
    '/redirect': { status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data' } },
    '/gzip': { headers: { 'content-encoding': 'gzip' }, body: gzipSync('unpacked') },
    '/br': { headers: { 'content-encoding': 'br' }, body: brotliCompressSync('unpacked') },
    '/deflate': { headers: { 'content-encoding': 'deflate' }, body: deflateSync('unpacked') },
    '/gzip-bomb': { headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(200_000_000)) },
    '/br-bomb': { headers: { 'content-encoding': 'br' }, body: brotliCompressSync(Buffer.alloc(50_000_000)) },
    '/not-gzip': { headers: { 'content-encoding': 'gzip' }, body: 'plain' },
    '/twice': { headers: { 'content-encoding': 'gzip, gzip' }, body: gzipSync(gzipSync('x')) },
    '/large': { body: Buffer.alloc(1_000_001, 'a') },
    '/just-fits': { body: Buffer.alloc(1_000_000, 'a') },
    '/error': { status: 503, body: 'later' },
    '/none': { status: 204 },
    '/none-in-gzip': { status: 204, headers: { 'content-encoding': 'gzip' } },
  }

const listener: RequestListener = (request, response) => {
  const { method = '', url = '', headers } = request
  let body = ''
  request.on('data', (chunk) => (body += String(chunk)))
  request.on('end', () => {
    seen.push({ method, url, headers, body })
    if (url === '/never') return
    if (url.startsWith('/half')) {
      const encoding = url === '/half' ? 'identity' : 'gzip'
      response.writeHead(200, { 'content-length': '1000', 'content-encoding': encoding })
      response.write(gzipSync('half'), () => response.destroy())
      return
    }
    const answer = answers[url] ?? {}
    response.writeHead(answer.status ?? 200, answer.headers)
    response.end(answer.body ?? 'hello')
  })
}

beforeAll(async () => {
  trustCertificate()
  ;[plain, secured] = await Promise.all([startHttp(listener), startTls(listener)])
  for (const { server } of [plain, secured]) server.on('connection', () => (sockets += 1))
})
afterAll(() => Promise.all([plain.close(), secured.close()]))
beforeEach(() => {
  seen = []
  sockets = 0
})

const toLocal: Resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }])

type More = Partial<GuardedRequest> & { resolve?: Resolve; time_ms?: number }

function send(url: string, policy: Partial<EgressPolicy>, more: More = {}) {
  const { resolve, time_ms = 5_000, ...request } = more
  return sendGuarded(
    { method: 'GET', headers: {}, body: null, ...request, url },
    { hosts: [], allow_private: false, ...policy },
    { signal: AbortSignal.timeout(time_ms), ...(resolve && { resolve }) },
  )
}

/** To the plain server, by its name and port. */
const sendPlain = (path: string, more: More = {}) =>
  send(
    `http://localhost:${plain.port}${path}`,
    { hosts: [`localhost:${plain.port}`], allow_private: true },
    more,
  )

/** To a server that answers as it likes. */
async function sendToRaw(answer: (socket: net.Socket) => void) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const policy = { hosts: [`localhost:${port}`], allow_private: true }
  return send(`http://localhost:${port}/`, policy, { time_ms: 20_000 }).finally(() => server.close())
}

const flooding = (head: string, again: string) => (socket: net.Socket) => {
  const more = () => {
    while (!socket.destroyed && socket.write(again));
  }
  socket.on('drain', more).write(head)
  more()
}

describe('a request', () => {
  test('goes by https, and its answer comes back', async () => {
    const hosts = [`service.example:${secured.port}`]
    const url = `https://service.example:${secured.port}/path?q=1#fragment`
    const body = JSON.stringify({ text: 'ü' })
    const headers = { 'Content-Type': 'application/json', 'X-One': 'a' }
    const policy = { hosts, allow_private: true }
    const answer = await send(url, policy, { method: 'POST', headers, body, resolve: toLocal })
    expect(answer).toMatchObject({ status: 200, body: 'hello', headers: { connection: 'close' } })
    expect(seen).toMatchObject([{ method: 'POST', url: '/path?q=1', body }])
    expect(seen[0]?.headers).toMatchObject({
      host: `service.example:${secured.port}`,
      'content-type': 'application/json',
      'x-one': 'a',
      'content-length': String(Buffer.byteLength(body)),
    })
  })

  test('goes in plain text to a host and port that are named, where that is allowed', async () => {
    expect(await sendPlain('/')).toMatchObject({ status: 200, body: 'hello' })
  })

  test('gets what status there is, and a body where there is one', async () => {
    expect(await sendPlain('/error')).toMatchObject({ status: 503, body: 'later' })
    expect(await sendPlain('/none')).toMatchObject({ status: 204, body: '' })
    expect(await sendPlain('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  test('that is redirected is answered with the redirect, which nobody follows', async () => {
    const answer = await sendPlain('/redirect')
    expect(answer).toMatchObject({
      status: 302,
      headers: { location: 'http://169.254.169.254/latest/meta-data' },
    })
    expect(seen).toHaveLength(1)
  })

  test('has a connection of its own each time', async () => {
    await sendPlain('/')
    await sendPlain('/')
    expect(sockets).toBe(2)
    expect(seen.map(({ headers }) => headers.connection)).toEqual(['close', 'close'])
  })
})

describe('a response', () => {
  test.each(['gzip', 'br', 'deflate'])('in %s is unpacked', async (encoding) => {
    expect(await sendPlain(`/${encoding}`)).toMatchObject({ body: 'unpacked' })
  })

  test('without a body is not unpacked, whatever it says', async () => {
    expect(await sendPlain('/none-in-gzip')).toMatchObject({ status: 204, body: '' })
    expect(await sendPlain('/gzip', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  test('that stops half-way is an error', async () => {
    await expect(sendPlain('/half')).rejects.toThrow('localhost ended the connection')
    await expect(sendPlain('/half-in-gzip')).rejects.toThrow(/ended the connection|encoding is broken/)
  })

  test('of just 1 MB comes whole', async () =>
    expect((await sendPlain('/just-fits')).body).toHaveLength(1_000_000))

  test.each(['/large', '/gzip-bomb', '/br-bomb'])('that is too large is not read on: %s', async (path) => {
    const before = process.memoryUsage().rss
    await expect(sendPlain(path)).rejects.toThrow('the response has more than 1000000 bytes')
    expect(process.memoryUsage().rss - before).toBeLessThan(80_000_000)
  })

  test('in a broken or unknown encoding is an error', async () => {
    await expect(sendPlain('/not-gzip')).rejects.toThrow('localhost sent a response whose encoding is broken')
    await expect(sendPlain('/twice')).rejects.toThrow('encoded in a way that cannot be read')
  })

  test('that does not come ends with the time', async () => {
    await expect(sendPlain('/never', { time_ms: 200 })).rejects.toThrow('localhost did not answer in time')
  })

  test('that is not HTTP is an error', async () => {
    await expect(sendToRaw((socket) => void socket.end('SSH-2.0-OpenSSH\r\n'))).rejects.toThrow(
      'localhost answered with something that is not HTTP',
    )
  })

  test('that never begins, for all that comes before it, is not waited for', async () => {
    const flood = flooding('', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000))
    await expect(sendToRaw(flood)).rejects.toThrow('sends more than an answer may have')
  })

  test('that is more frame than body is not read on', async () => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
    const padded = `1;${'x'.repeat(1_000)}\r\na\r\n`
    await expect(sendToRaw(flooding(head, padded.repeat(10)))).rejects.toThrow(/sends more than|not HTTP/)
  })

  test('that comes byte by byte takes the memory of its bytes', async () => {
    const before = process.memoryUsage().rss
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
    await expect(sendToRaw(flooding(head, '1\r\na\r\n'.repeat(10_000)))).rejects.toThrow(
      'sends more than an answer may have',
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000)
  })
})

describe('the list of hosts', () => {
  test.each([
    ['another host', 'https://other.example/'],
    ['a suffix that is no subdomain', 'https://evil-wild.example/'],
    ['the name itself of a wildcard', 'https://wild.example/'],
    ['a name that goes on', 'https://service.example.evil.net/'],
    ['another port', 'https://service.example:8443/'],
    ['a port that is none', 'https://service.example:0/'],
    ['a name before a dot-less end', 'https://service.exampleevil/'],
  ])('keeps out %s', async (_, url) => {
    const hosts = ['service.example', '*.wild.example']
    await expect(send(url, { hosts, allow_private: true }, { resolve: toLocal })).rejects.toThrow(
      'is not in the egress_hosts of the task',
    )
  })

  test('that is empty admits nothing', async () =>
    await expect(send('https://service.example/', {})).rejects.toThrow('service.example is not in'))

  test('knows a host by any spelling of it', async () => {
    const hosts = [`service.example:${secured.port}`]
    const policy = { hosts, allow_private: true }
    const url = `https://SERVICE.example.:${secured.port}/`
    expect(await send(url, policy, { resolve: toLocal })).toMatchObject({ status: 200 })
  })
})

describe('a URL is refused', () => {
  test.each([
    ['with a user name', 'https://service.example@evil.example/', 'user name'],
    ['with a user name and password', 'https://a:b@service.example/', 'user name'],
    ['with an empty user name', 'https://@service.example/', 'user name'],
    ['with a backslash', 'https://service.example\\@evil.example/', 'not a URL'],
    ['with a line end', 'https://service.example/\r\nX: 1', 'not a URL'],
    ['with a tab', 'https://serv\tice.example/', 'not a URL'],
    ['with a blank', ' https://service.example/', 'not a URL'],
    ['without a host', 'https:///', 'not a URL'],
    ['of another scheme', 'file:///etc/passwd', 'only https'],
    ['of another scheme with a host', 'ftp://service.example/', 'only https'],
    ['that is none', 'service.example', 'not a URL'],
    ['that is too long', `https://service.example/${'a'.repeat(9_000)}`, 'at most 8192'],
  ])('%s', async (_, url, reason) => {
    await expect(send(url, { hosts: ['service.example'] }, { resolve: toLocal })).rejects.toThrow(reason)
  })

  test.each([
    ['without a port', ['service.example'], true],
    ['where private addresses are not allowed', ['service.example:80'], false],
  ])('in plain http toward an entry %s', async (_, hosts, allow_private) => {
    await expect(send('http://service.example/', { hosts, allow_private })).rejects.toThrow(
      /is not in the egress_hosts|only be called by https/,
    )
  })
})

describe('an address', () => {
  const spellings = (port: number) => [
    `http://127.0.0.1:${port}/`,
    `http://2130706433:${port}/`,
    `http://0x7f000001:${port}/`,
    `http://0x7f.1:${port}/`,
    `http://0177.0.0.1:${port}/`,
    `http://127.1:${port}/`,
    `http://127.0.0.1.:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://[::ffff:7f00:1]:${port}/`,
    `http://[::127.0.0.1]:${port}/`,
    `http://[64:ff9b::7f00:1]:${port}/`,
    `http://[2002:7f00:1::]:${port}/`,
  ]

  test('that no entry names is not reached, in any spelling', async () => {
    for (const url of spellings(plain.port))
      await expect(send(url, { hosts: ['*.example.com'], allow_private: true })).rejects.toThrow(
        'is not in the egress_hosts',
      )
    expect(sockets).toBe(0)
  })

  test('that an entry names is reached by what it is, however it is written', async () => {
    const policy = { hosts: [`127.0.0.1:${plain.port}`], allow_private: true }
    expect(await send(`http://0x7f.1:${plain.port}/`, policy)).toMatchObject({ status: 200 })
  })

  test.each([
    ['loopback', '127.0.0.1', 4],
    ['private', '10.0.0.1', 4],
    ['metadata', '169.254.169.254', 4],
    ['loopback on v6', '::1', 6],
    ['mapped', '::ffff:127.0.0.1', 6],
    ['compatible', '::7f00:1', 6],
    ['NAT64', '64:ff9b::7f00:1', 6],
    ['6to4', '2002:7f00:1::', 6],
    ['Teredo', '2001:0:7f00:1::', 6],
    ['with a zone', 'fe80::1%lo', 6],
  ])('behind a public name is not reached: %s', async (_, address, family) => {
    const resolve: Resolve = () => Promise.resolve([{ address, family }])
    const hosts = ['service.example']
    for (const allow_private of [false, true])
      await expect(send('https://service.example/', { hosts, allow_private }, { resolve })).rejects.toThrow(
        'service.example is at an address that scripts may not reach',
      )
  })

  test.each(['169.254.169.254', '100.100.100.200', '0.0.0.0', '[::ffff:127.0.0.1]', '[fd00:ec2::254]'])(
    'that is never reached is not even where an entry names it: %s',
    async (host) => {
      const policy = { hosts: [`${host}:80`], allow_private: true }
      await expect(send(`http://${host}:80/`, policy)).rejects.toThrow(
        /may not reach|is not in the egress_hosts/,
      )
    },
  )

  test('that is private among public ones refuses them all', async () => {
    const resolve: Resolve = () =>
      Promise.resolve([
        { address: '1.1.1.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    await expect(
      send('https://service.example/', { hosts: ['service.example'] }, { resolve }),
    ).rejects.toThrow('may not reach')
  })

  test('that changes with the next answer is not asked for again', async () => {
    const given = ['192.0.2.1', '127.0.0.1']
    let lookups = 0
    const resolve: Resolve = () => {
      lookups += 1
      return Promise.resolve([{ address: given.shift() ?? '127.0.0.1', family: 4 }])
    }
    const policy = { hosts: [`service.example:${secured.port}`] }
    const url = `https://service.example:${secured.port}/`
    await expect(send(url, policy, { resolve })).rejects.toThrow('may not reach')
    await expect(send(url, policy, { resolve })).rejects.toThrow('may not reach')
    expect(lookups).toBe(2)
    expect(sockets).toBe(0)
    const allowed = { ...policy, allow_private: true }
    await send(url, allowed, { resolve })
    expect(lookups).toBe(3)
  })

  test('that nobody knows is an error without words of the system', async () => {
    const hosts = ['no-such-host.invalid']
    await expect(send('https://no-such-host.invalid/', { hosts })).rejects.toThrow(
      'no-such-host.invalid could not be found',
    )
  })

  test('whose lookup does not end, ends with the time', async () => {
    const resolve: Resolve = () => new Promise(() => {})
    const more = { resolve, time_ms: 100 }
    await expect(send('https://service.example/', { hosts: ['service.example'] }, more)).rejects.toThrow(
      'service.example did not answer in time',
    )
  })
})

describe('a certificate', () => {
  test('for another name is refused before anything is sent', async () => {
    const policy = { hosts: [`other.example:${secured.port}`], allow_private: true }
    await expect(
      send(`https://other.example:${secured.port}/`, policy, { resolve: toLocal }),
    ).rejects.toThrow('other.example has a certificate for another name')
    expect(seen).toEqual([])
  })

  test('that is none is refused', async () => {
    const policy = { hosts: [`service.example:${plain.port}`], allow_private: true }
    await expect(
      send(`https://service.example:${plain.port}/`, policy, { resolve: toLocal }),
    ).rejects.toThrow('service.example has no certificate that can be trusted')
  })
})

describe('a header is refused', () => {
  test.each([
    ['Host', 'evil.example', 'set by the product'],
    ['content-length', '5', 'set by the product'],
    ['Transfer-Encoding', 'chunked', 'set by the product'],
    ['Connection', 'keep-alive', 'set by the product'],
    ['Upgrade', 'h2c', 'set by the product'],
    ['Expect', '100-continue', 'set by the product'],
    ['X-One', 'a\r\nX-Two: b', 'line end'],
    ['X-One', 'a\nb', 'line end'],
    ['X-One', 'a\0b', 'line end'],
    ['X-One', 'ü→', 'line end'],
    ['X-One\r\nX-Two', 'a', 'not valid'],
    ['X One', 'a', 'not valid'],
    ['', 'a', 'not valid'],
    ['X:', 'a', 'not valid'],
  ])('%j: %j', async (name, value, reason) => {
    await expect(sendPlain('/', { headers: { [name]: value } })).rejects.toThrow(reason)
    expect(sockets).toBe(0)
  })

  test('where there are too many or too much', async () => {
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, 'a']))
    await expect(sendPlain('/', { headers: many })).rejects.toThrow('100 headers')
    await expect(sendPlain('/', { headers: { x: 'a'.repeat(40_000) } })).rejects.toThrow('32768')
  })
})

test.each(['CONNECT', 'TRACE', 'get', 'GET / HTTP/1.1\r\n', ''])(
  'the method %j is refused',
  async (method) => await expect(sendPlain('/', { method })).rejects.toThrow('the method must be one of'),
)

test('a closed port is an error without words of the system', async () => {
  const closed = await startHttp(listener)
  await closed.close()
  const policy = { hosts: [`localhost:${closed.port}`], allow_private: true }
  await expect(send(`http://localhost:${closed.port}/`, policy)).rejects.toThrow(
    /^localhost refused the connection$/,
  )
})
