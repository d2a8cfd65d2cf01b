import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'
import { addProvider, operations } from './provider.ts'
import type { Provider, ScimBody } from './provider.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let product: TestProduct
let provider: Provider
let someone: ScimBody

beforeAll(async () => {
  product = await startTestProduct({ without_worker: true })
  provider = await addProvider(product)
  someone = await provider.addUser()
})
afterAll(() => product.close())

/** The product runs in this process: what it would write to the prototype of everything is seen here. */
const namesOfAll = () => Object.getOwnPropertyNames(Object.prototype).sort()
const before = namesOfAll()

const names = ['__proto__.status', 'constructor.prototype.status', 'constructor.status', 'toString.status']
const alternatives = Array(40).fill('id eq "a" or id eq "b"')

const titled = (text: string): [title: string, text: string] => [text.slice(0, 60), text]

describe('A filter', () => {
  test.each(
    [
      ...names.flatMap((name) => [
        `${name} eq "x"`,
        `members[${name} eq "x"]`,
        `id eq "a" and ${name} eq "x"`,
      ]),
      `(${alternatives.join(') and (')})`,
      alternatives.map((each) => `members[${each}]`).join(' and '),
      `${'('.repeat(900)}id eq "a"${')'.repeat(900)}`,
      `id eq "${'a'.repeat(2_000)}"`,
      `id eq "a${' '.repeat(1_500)}`,
      'id eq "a" and',
      'id eq "a" and id eq "b"',
      'id eq "a"userName eq "b"',
      'id eq "a\\"',
    ].map(titled),
  )('such as %s is refused, at once, and writes to nothing', async (_, filter) => {
    for (const resource of ['Users', 'Groups']) {
      const answer = await provider.call('GET', `/${resource}?filter=${encodeURIComponent(filter)}`)
      expect(answer).toMatchObject({ status: 400, body: { scimType: 'invalidFilter' } })
    }
    expect(namesOfAll()).toEqual(before)
  })

  test('means what is written between its quotes', async () => {
    const filter = encodeURIComponent(`userName eq "a\\" or id eq \\"${someone.id}"`)
    expect((await provider.call('GET', `/Users?filter=${filter}`)).body).toMatchObject({ totalResults: 0 })
  })
})

describe('A path of a change', () => {
  const paths = names.flatMap((name) => [`name[${name} eq "x"].givenName`, `members[${name} eq "x"]`, name])
  const core = 'urn:ietf:params:scim:schemas:core:2.0:User:'

  test.each(
    [
      ...paths,
      `${core}name[__proto__.status eq "x"].givenName`,
      `groups[(${Array(30).fill('a eq "b" or c eq "d"').join(') and (')})]`,
    ].map(titled),
  )('such as %s is refused, at once, and writes to nothing', async (_, path) => {
    for (const operation of [
      { op: 'add', path, value: 'x' },
      { op: 'replace', value: { [path]: 'x' } },
    ]) {
      const answer = await provider.call('PATCH', `/Users/${someone.id}`, operations(operation))
      expect(answer.status).toBe(400)
    }
    expect(namesOfAll()).toEqual(before)
    expect((await provider.call('GET', `/Users/${someone.id}`)).body).toMatchObject({
      userName: someone.userName,
    })
  })
})

describe('A body', () => {
  const namesOf = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`name-${at}`, 'x']))
  const values = Array.from({ length: 5_000 }, (_, at) => ({ value: `x${at}` }))
  const many = { displayName: 'a', 'name.givenName': 'b', 'name.familyName': 'c' }

  test.each<[string, string, object, number]>([
    ['POST', 'a thousand attributes', { userName: 'a@example.com', ...namesOf(1_000) }, 400],
    ['POST', 'a name of a thousand parts', { userName: 'a@example.com', name: namesOf(1_000) }, 400],
    ['PATCH', 'a thousand attributes', operations({ op: 'add', value: namesOf(1_000) }), 400],
    ['PATCH', 'an operation of a thousand parts', operations({ op: 'add', ...namesOf(1_000) }), 400],
    [
      'PATCH',
      'some attributes a thousand times',
      operations(...Array.from({ length: 1_000 }, () => ({ op: 'add', value: many }))),
      400,
    ],
    // Each took a minute, as each one that goes was looked for among all.
    [
      'PATCH',
      'five thousand groups that go',
      operations(
        { op: 'add', path: 'groups', value: values },
        { op: 'remove', path: 'groups', value: values },
      ),
      200,
    ],
    [
      'PATCH',
      'five thousand roles that go',
      operations({ op: 'add', path: 'roles', value: values }, { op: 'remove', path: 'Roles', value: values }),
      200,
    ],
    [
      'PATCH',
      'whatever a resource is about',
      operations({ op: 'add', path: 'meta', value: namesOf(10_000) }),
      200,
    ],
  ])('by %s of %s takes no time to speak of', async (method, _, body, expected) => {
    const path = method === 'POST' ? '/Users' : `/Users/${someone.id}`
    const began = process.threadCpuUsage()
    const answer = await provider.call(method, path, body)
    const { user, system } = process.threadCpuUsage(began)
    expect(answer.status).toBe(expected)
    expect((user + system) / 1_000).toBeLessThan(2_000)
  })
})
