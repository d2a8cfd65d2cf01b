import { expect, test } from 'vitest'

import { refuseJson } from '../../api/refuse-json.ts'

test.each([
  '{}',
  '[]',
  '"a"',
  'null',
  '{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}',
  '["a","a",{"a":"a"}]',
  '{"a":"\\"a\\":","b":"{\\"a\\":1}"}',
  '{"a":"\\\\","b":"a"}',
  `${'['.repeat(100)}${']'.repeat(100)}`,
])('JSON that says everything once is taken: %s', (text) => {
  expect(JSON.stringify(JSON.parse(text))).toBe(text)
  expect(refuseJson(text)).toBeUndefined()
})

test.each([
  ['at once', '{"a":1,"a":2}'],
  ['in another spelling', '{"a":1,"\\u0061":2}'],
  ['before a space', '{"a" :1,"b":{"x":[]},"a"\n\t:2}'],
  ['deeper down', '[0,{"b":{"a":"}","a":2}}]'],
  ['behind escaped quotes', '{"a":"\\\\\\"","a":2}'],
])('a member that is named twice is refused: %s', (_, text) => {
  expect(refuseJson(text)).toBe('It names the member "a" twice.')
})

test('what is nested without end is refused', () => {
  expect(refuseJson(`${'['.repeat(101)}${']'.repeat(101)}`)).toContain('nested')
  expect(refuseJson(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`)).toContain('nested')
})

// Each took seconds while every bracket was a match of a pattern.
test.each(['[],', '{},', '"",', '"\\"",', '{"a":[]},'])(
  'a million characters of %s take no time to speak of',
  (unit) => {
    const text = `[${unit.repeat(Math.floor(1_000_000 / unit.length))}1]`
    for (let tries = 0; tries < 10; tries++) expect(refuseJson(text)).toBeUndefined()
  },
  20_000,
)
