import { beforeAll, describe, expect, test } from 'vitest'

import { requirements } from './stage.ts'
import type { Stage } from './stage.ts'
import { done } from './steps.ts'

type Property = {
  $ref?: string
  type?: string | string[]
  enum?: string[]
  const?: string
  items?: Property
  anyOf?: Property[]
  default?: unknown
  pattern?: string
}
type Schema = { properties: Record<string, Property>; required?: string[] }
type Attribute = {
  type: unknown
  required?: boolean
  optional?: boolean
  computed?: boolean
  description?: string
}
type Kind = { block: { attributes: Record<string, Attribute> } }

/** What each resource is made of: the API's schemas, and what goes by another name or stands in the address. */
const resources = [
  { name: 'access_request_template', input: 'TemplateInput', output: 'Template', renamed: {}, extra: [] },
  { name: 'scheduled_task', input: 'ScriptTaskInput', output: 'ScriptTask', renamed: {}, extra: [] },
  { name: 'application', input: 'ApplicationInput', output: 'Application', renamed: {}, extra: [] },
  { name: 'app_mapping', input: 'AppMappingInput', output: 'AppMapping', renamed: {}, extra: ['app_id'] },
  { name: 'group', input: 'GroupInput', output: 'Group', renamed: {}, extra: [] },
  {
    name: 'group_membership',
    input: 'MembershipInput',
    output: 'Membership',
    renamed: {},
    extra: ['group_id', 'identity_id'],
  },
  {
    name: 'secret',
    input: 'SecretInput',
    output: 'Secret',
    renamed: { value: 'value_wo' } as Record<string, string>,
    extra: ['name', 'value_wo_version'],
  },
] as const

/** Members of answers that no resource shows: they change without being managed, or say nothing that is. */
const unshown: Record<string, string[]> = {
  Group: ['kind', 'expires_at'],
  Membership: ['email', 'display_name', 'kind', 'status', 'joined_at'],
}
const always = ['created_at', 'updated_at']

/** The API's type of JSON as Terraform spells it; undefined where a text stands for it. */
function typeOf(property: Property): unknown {
  const plain = property.anyOf?.find(({ type }) => type !== 'null') ?? property
  const type = Array.isArray(plain.type) ? plain.type.find((each) => each !== 'null') : plain.type
  if (type === 'integer') return 'number'
  if (type === 'boolean') return 'bool'
  if (type === 'array')
    return plain.items?.$ref === undefined ? ['list', typeOf(plain.items ?? {})] : 'string'
  if (type === 'object') return ['map', 'string']
  return 'string'
}

const enumOf = (property: Property): string[] | undefined =>
  property.enum ?? property.items?.enum ?? (property.const === undefined ? undefined : [property.const])

export function describeContract(stage: () => Stage): void {
  describe('beside the OpenAPI document', () => {
    let schemas: Record<string, Schema>
    let kinds: Record<string, Kind>
    let lookups: Record<string, Kind>

    beforeAll(async () => {
      const answer = await fetch(`${stage().product.url}/api/v1/openapi.json`)
      schemas = ((await answer.json()) as { components: { schemas: Record<string, Schema> } }).components
        .schemas
      const workspace = await stage().workspace({ 'main.tf': requirements })
      const { output } = done(await workspace.run('providers', 'schema', '-json'))
      const described = JSON.parse(output) as {
        provider_schemas: Record<
          string,
          { resource_schemas: typeof kinds; data_source_schemas: typeof kinds }
        >
      }
      const [own] = Object.values(described.provider_schemas)
      kinds = own?.resource_schemas ?? {}
      lookups = own?.data_source_schemas ?? {}
    })

    const attributesOf = (name: string) => kinds[`justiam_${name}`]?.block.attributes ?? {}
    const inputOf = (name: string) => schemas[name]?.properties ?? {}

    test.each(resources)(
      '$name has an argument for each member that is sent',
      ({ name, input, renamed, extra }) => {
        const sent = Object.keys(inputOf(input)).map(
          (member) => (renamed as Record<string, string>)[member] ?? member,
        )
        const given = Object.entries(attributesOf(name)).filter(
          ([, { required, optional }]) => required || optional,
        )
        expect(given.map(([argument]) => argument).toSorted()).toEqual([...sent, ...extra].toSorted())
      },
    )

    test.each(resources)('$name has an attribute for each member that is read', ({ name, output, extra }) => {
      const read = Object.keys(inputOf(output)).filter(
        (member) => ![...always, ...(unshown[output] ?? [])].includes(member),
      )
      expect(Object.keys(attributesOf(name))).toEqual(expect.arrayContaining([...read, ...extra]))
    })

    test.each(resources)('$name gives its arguments the types of the API', ({ name, input, renamed }) => {
      const types = Object.entries(inputOf(input)).map(([member, property]) => [
        (renamed as Record<string, string>)[member] ?? member,
        typeOf(property),
      ])
      const attributes = attributesOf(name)
      expect(types.map(([argument]) => [argument, attributes[String(argument)]?.type])).toEqual(types)
    })

    test.each(resources)('$name requires what the API requires', ({ name, input, renamed }) => {
      const needed = Object.entries(inputOf(input))
        .filter(
          ([member, { default: fallback }]) =>
            schemas[input]?.required?.includes(member) && fallback === undefined,
        )
        .map(([member]) => (renamed as Record<string, string>)[member] ?? member)
        // A secret may be sent nowhere.
        .filter((member) => !(name === 'secret' && member === 'hosts'))
      const attributes = attributesOf(name)
      expect(needed.filter((member) => attributes[member]?.required !== true)).toEqual([])
    })

    test.each(resources)('$name knows the values of each enumeration', ({ name, input }) => {
      const attributes = attributesOf(name)
      for (const [member, property] of Object.entries(inputOf(input))) {
        const values = enumOf(property)
        // Permissions grow with the server: their spelling alone is looked at.
        if (values === undefined || member === 'permissions') continue
        expect(attributes[member]?.description).toContain(` of \`${values.join('`, `')}\`.`)
      }
    })

    test('custom fields have the members and types of the API', () => {
      const { description = '' } = attributesOf('access_request_template')['custom_fields'] ?? {}
      const members = inputOf('CustomFieldInput')
      expect(Object.keys(members).filter((member) => !description.includes(`\`${member}\``))).toEqual([])
      expect(description).toContain(`one of \`${members['type']?.enum?.join('`, `')}\`)`)
      expect(Object.keys(members)).toHaveLength(6)
    })

    test('there is a data source for each resource', () => {
      expect(Object.keys(lookups)).toEqual(expect.arrayContaining(Object.keys(kinds)))
    })
  })
}
