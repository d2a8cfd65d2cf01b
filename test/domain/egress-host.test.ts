import { describe, expect, test } from 'vitest'

import { findEgressHost, parseEgressHost } from '../../domain/egress-host.ts'

describe('an entry', () => {
  test.each([
    ['example.com', { host: 'example.com', port: null, is_wildcard: false }],
    ['EXAMPLE.com.', { host: 'example.com', port: null, is_wildcard: false }],
    ['*.example.com', { host: 'example.com', port: null, is_wildcard: true }],
    ['example.com:8443', { host: 'example.com', port: 8443, is_wildcard: false }],
    ['localhost:3000', { host: 'localhost', port: 3000, is_wildcard: false }],
    ['my_service:80', { host: 'my_service', port: 80, is_wildcard: false }],
    ['bücher.example', { host: 'xn--bcher-kva.example', port: null, is_wildcard: false }],
    ['10.0.0.5:443', { host: '10.0.0.5', port: 443, is_wildcard: false }],
    ['[::1]:8080', { host: '[::1]', port: 8080, is_wildcard: false }],
  ])('%s is read', (entry, expected) => expect(parseEgressHost(entry)).toEqual(expected))

  test.each([
    '',
    ' ',
    '*',
    '*.',
    '*.com',
    '**.example.com',
    '*.*.example.com',
    'a.*.example.com',
    '*example.com',
    '*.example.com:443',
    '*.10.0.0.5',
    'https://example.com',
    'example.com/',
    'example.com/path',
    'user@example.com',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:80:80',
    'example.com:https',
    'exa mple.com',
    'exa\tmple.com',
    'example.com\n',
    'example..com',
    'example.com..',
    '.example.com',
    '2130706433:80',
    '0x7f.1:80',
    '0177.0.0.1:80',
    '127.1:80',
    '127.0.0.1.:80',
    '1.2.3.4.5',
    '256.0.0.1',
    '::1',
    '[::1',
    '[0:0:0:0:0:0:0:1]:80',
    '[::ffff:127.0.0.1]:80',
    '[fe80::1%25lo]:80',
    'ex%61mple.com',
    'example。com:',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(127)}com`,
  ])('%j is refused', (entry) => expect(parseEgressHost(entry)).toBeUndefined())
})

describe('a host', () => {
  test.each([
    ['example.com', 443],
    ['a.wild.example', 443],
    ['a.b.wild.example', 443],
    ['internal', 8080],
  ])('%s at %i is admitted', (host, port) =>
    expect(findEgressHost(['example.com', '*.wild.example', 'internal:8080'], host, port)).toBeDefined(),
  )

  test.each([
    ['example.com', 8443],
    ['example.com', 80],
    ['www.example.com', 443],
    ['evil-example.com', 443],
    ['example.com.evil.net', 443],
    ['wild.example', 443],
    ['evil-wild.example', 443],
    ['evilwild.example', 443],
    ['a.wild.example', 8443],
    ['a.wild.example.net', 443],
    ['internal', 443],
    ['internal', 8081],
    ['', 443],
  ])('%s at %i is not', (host, port) =>
    expect(findEgressHost(['example.com', '*.wild.example', 'internal:8080'], host, port)).toBeUndefined(),
  )

  test('the entry that names the port speaks for it', () =>
    expect(findEgressHost(['example.com', 'example.com:443'], 'example.com', 443)?.port).toBe(443))
})
