import { randomBytes } from 'node:crypto'

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createMask } from '../../activities/host-calls/mask.ts'

const value = `p@ss/w"ord+ü <4&2>'!(*)~`
const mask = createMask()
mask.add('TOKEN', value)

describe('a value is masked', () => {
  test.each([
    ['as it is', value],
    ['in JSON', JSON.stringify(value).slice(1, -1)],
    ['in JSON with escaped slashes', JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/')],
    ['in a URL', encodeURIComponent(value)],
    ['in a URL, escapes in lower case', encodeURIComponent(value).replaceAll(/%../g, (e) => e.toLowerCase())],
    ['in a path', value.split('/').map(encodeURIComponent).join('/')],
    ['in a form', new URLSearchParams({ v: value }).toString().slice(2)],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in base64 without padding', Buffer.from(value).toString('base64').replaceAll('=', '')],
    ['in base64 of URLs', Buffer.from(value).toString('base64url')],
    ['in hex', Buffer.from(value).toString('hex')],
    ['in hex in capitals', Buffer.from(value).toString('hex').toUpperCase()],
    ['in JSON in ASCII', String.raw`p@ss/w\"ord+\u00fc <4&2>'!(*)~`],
    ['in JSON in ASCII with escaped slashes', String.raw`p@ss\/w\"ord+\u00fc <4&2>'!(*)~`],
    ['in JSON that is safe in HTML', String.raw`p@ss/w\"ord+ü \u003c4\u00262\u003e'!(*)~`],
    ['in cautious JSON', String.raw`p@ss/w\u0022ord\u002B\u00FC \u003C4\u00262\u003E\u0027!(*)~`],
    ['in a URL with all that can be escaped', 'p%40ss%2Fw%22ord%2B%C3%BC%20%3C4%262%3E%27%21%28%2A%29~'],
    ['in a path with all that can be escaped', 'p%40ss/w%22ord%2B%C3%BC%20%3C4%262%3E%27%21%28%2A%29~'],
    ['in a form with all that can be escaped', 'p%40ss%2Fw%22ord%2B%C3%BC+%3C4%262%3E%27%21%28%2A%29~'],
    ['in HTML', 'p@ss/w&quot;ord+ü &lt;4&amp;2&gt;&#39;!(*)~'],
    ['in HTML with numbers', 'p@ss/w&#34;ord+ü &lt;4&amp;2&gt;&#39;!(*)~'],
    ['in XML', `p@ss/w"ord+ü &lt;4&amp;2&gt;'!(*)~`],
    ['in lower case', value.toLowerCase()],
  ])('%s', (_, form) => {
    const masked = mask.apply(`before ${form} after`)
    expect(masked).toContain('[secret TOKEN]')
    expect(masked).not.toContain(form)
    expect(masked.startsWith('before ') && masked.endsWith(' after')).toBe(true)
  })

  test('wherever it stands in what was encoded', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 }), (before, after) => {
        const text = Buffer.from(`${before}${value}${after}`).toString('base64')
        expect(mask.apply(text)).toContain('[secret TOKEN]')
      }),
    )
  })
})

test('the path of an address is masked where it stands alone', () => {
  const webhook = createMask()
  webhook.add('WEBHOOK', 'https://hooks.slack.com/services/T000/B000/XXXX')
  expect(webhook.apply('no such hook: /services/T000/B000/XXXX')).toBe('no such hook: [secret WEBHOOK]')
  expect(webhook.apply('hooks.slack.com is down')).toBe('hooks.slack.com is down')
})

test('the keys in an address are masked where they stand alone, and its words are not', () => {
  const webhook = createMask()
  webhook.add('WEBHOOK', 'https://hooks.example/services/cAnArY0123456789/run?v=1&sig=pEa%2FcH7890')
  expect(webhook.apply('no hook cAnArY0123456789')).toBe('no hook [secret WEBHOOK]')
  expect(webhook.apply('wrong sig: pEa/cH7890')).toBe('wrong sig: [secret WEBHOOK]')
  expect(webhook.apply('no services to run, v=1')).toBe('no services to run, v=1')
})

test('a value that was pasted with blanks around it is masked without them', () => {
  const pasted = createMask()
  pasted.add('PASTED', ' token-of-mine ')
  expect(pasted.apply('{"token":"token-of-mine"}')).toBe('{"token":"[secret PASTED]"}')
})

test('the lines of a key are masked one by one', () => {
  const pem = createMask()
  pem.add('PEM', '-----BEGIN KEY-----\nMIGHAgEAMBMGByqGSM49\nAgEGCCqGSM49AwEHBG0w\n-----END KEY-----\n')
  expect(pem.apply('line 2: AgEGCCqGSM49AwEHBG0w')).toBe('line 2: [secret PEM]')
})

test('a value of so many lines that looking for them would take long is not taken', () => {
  const lines = Array.from({ length: 3_000 }, (_, index) => `${index}`.padStart(9, 'line '))
  const many = createMask()
  expect(() => many.add('MANY', lines.join('\n'))).toThrow(
    'the secret MANY is too large, or has too many lines',
  )
  expect(many.apply('anything')).toBe('anything')
})

test('values that are too long together are not taken', () => {
  const long = createMask()
  const add = (index: number) => long.add(`LONG_${index}`, `${index}`.padStart(32_768, 'ü'))
  expect(() => [...Array(20).keys()].forEach(add)).toThrow(/the secret LONG_\d+ is too large/)
  add(0)
  expect(long.apply('0'.padStart(32_768, 'ü'))).toBe('[secret LONG_0]')
})

test('a key with the certificates of its chain is', () => {
  const line = () => randomBytes(48).toString('base64')
  const chain = createMask()
  const key = Array.from({ length: 100 }, line)
  chain.add('CHAIN', key.join('\n'))
  expect(chain.apply(key[99] ?? '')).toBe('[secret CHAIN]')
})

test('what holds no value stays as it is', () => {
  expect(createMask().apply('anything $& $1')).toBe('anything $& $1')
  expect(mask.apply('p@ss $& word')).toBe('p@ss $& word')
})
