import { isIPv4, isIPv6 } from 'node:net'

import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { kindOf } from '../../egress/addresses.ts'

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '169.253.255.255',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450:4001::1',
])('%s is public', (address) => expect(kindOf(address)).toBe('public'))

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '100.64.0.1',
  '::1',
  'fc00::1',
  'fdff::1',
])('%s is private: reached only where the policy names it', (address) =>
  expect(kindOf(address)).toBe('private'),
)

test.each([
  ['this network', '0.0.0.0'],
  ['link-local', '169.254.0.1'],
  ['metadata', '169.254.169.254'],
  ['metadata of Alibaba Cloud', '100.100.100.200'],
  ['metadata of Azure', '168.63.129.16'],
  ['metadata of AWS on v6', 'fd00:ec2::254'],
  ['metadata of GCP on v6', 'fd20:ce::254'],
  ['protocol assignments', '192.0.0.192'],
  ['documentation', '203.0.113.9'],
  ['benchmarks', '198.19.0.1'],
  ['6to4 relays', '192.88.99.1'],
  ['multicast', '224.0.0.1'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['unspecified v6', '::'],
  ['link-local v6', 'fe80::1'],
  ['site-local v6', 'fec0::1'],
  ['multicast v6', 'ff02::1'],
  ['documentation v6', '2001:db8::1'],
  ['mapped public', '::ffff:8.8.8.8'],
  ['mapped private', '::ffff:127.0.0.1'],
  ['mapped private in hex', '::ffff:7f00:1'],
  ['compatible', '::7f00:1'],
  ['compatible, dotted', '::127.0.0.1'],
  ['translated', '::ffff:0:127.0.0.1'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['local NAT64', '64:ff9b:1::7f00:1'],
  ['6to4', '2002:7f00:1::'],
  ['Teredo', '2001:0:7f00:1::'],
  ['a zone', 'fe80::1%lo'],
  ['a zone on a public address', '2606:4700::1111%1'],
  ['nothing', ''],
  ['a name', 'localhost'],
])('%s (%s) is never reached', (_, address) => expect(kindOf(address)).toBe('forbidden'))

const octet = fc.integer({ min: 0, max: 255 })

test('no v4 address is public inside of any v6 form of it', () => {
  const forms = ['::ffff:', '::', '64:ff9b::', '::ffff:0:']
  fc.assert(
    fc.property(fc.tuple(octet, octet, octet, octet), fc.constantFrom(...forms), (octets, form) => {
      const address = octets.join('.')
      expect(isIPv4(address) && isIPv6(`${form}${address}`)).toBe(true)
      expect(kindOf(`${form}${address}`)).not.toBe('public')
    }),
  )
})
