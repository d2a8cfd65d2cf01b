import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createMask } from '../../activities/host-calls/mask.ts'

const value = 'p@ss/w"ord+ü 42'
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

test('the lines of a key are masked one by one', () => {
  const pem = createMask()
  pem.add('PEM', '-----BEGIN KEY-----\nMIGHAgEAMBMGByqGSM49\nAgEGCCqGSM49AwEHBG0w\n-----END KEY-----\n')
  expect(pem.apply('line 2: AgEGCCqGSM49AwEHBG0w')).toBe('line 2: [secret PEM]')
})

test('what holds no value stays as it is', () => {
  expect(createMask().apply('anything $& $1')).toBe('anything $& $1')
  expect(mask.apply('p@ss $& word')).toBe('p@ss $& word')
})
