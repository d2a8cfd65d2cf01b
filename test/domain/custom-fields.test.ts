import { describe, expect, test } from 'vitest'

import { CustomFieldInputs, identifyFields, refuseAnswers } from '../../domain/custom-fields.ts'
import type { CustomField } from '../../domain/custom-fields.ts'

const id = '0190a000-0000-7000-8000-000000000001'
const field = (overrides: Partial<CustomField>): CustomField => ({
  id,
  label: 'Field',
  type: 'text',
  required: false,
  placeholder: '',
  options: [],
  ...overrides,
})

const details = (overrides: Partial<CustomField>, answer: unknown) =>
  refuseAnswers([field(overrides)], answer === undefined ? {} : { [id]: answer }).map(({ detail }) => detail)

describe('answers', () => {
  test.each([
    ['text', 'words', {}],
    ['textarea', 'lines\nand lines', {}],
    ['select', 'prod', { options: ['prod', 'test'] }],
    ['multi_select', ['test', 'prod'], { options: ['prod', 'test'] }],
    ['checkbox', false, {}],
    ['checkbox', true, { required: true }],
  ] as const)('%s takes %j', (type, answer, rest) => {
    expect(details({ type, ...rest, options: [...('options' in rest ? rest.options : [])] }, answer)).toEqual(
      [],
    )
  })

  test.each([
    ['text', 1, {}],
    ['text', '  ', { required: true }],
    ['text', 'a\0b', {}],
    ['textarea', ['x'], {}],
    ['select', 'other', { options: ['prod'] }],
    ['select', '', { options: ['prod'], required: true }],
    ['multi_select', 'prod', { options: ['prod'] }],
    ['multi_select', ['prod', 'prod'], { options: ['prod'] }],
    ['multi_select', [], { options: ['prod'], required: true }],
    ['checkbox', 'true', {}],
    ['checkbox', false, { required: true }],
  ] as const)('%s refuses %j', (type, answer, rest) => {
    expect(
      details({ type, ...rest, options: [...('options' in rest ? rest.options : [])] }, answer),
    ).toHaveLength(1)
  })

  test('a required field needs an answer, an optional one does not', () => {
    expect(details({ required: true }, undefined)).toEqual(['Field: an answer is required'])
    expect(details({ required: false }, undefined)).toEqual([])
  })

  test('unknown keys are refused, those of the prototype too', () => {
    const errors = refuseAnswers([], JSON.parse('{"__proto__": "x", "other": 1}') as Record<string, unknown>)
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual([
      '/custom_answers/__proto__',
      '/custom_answers/other',
    ])
  })
})

describe('definitions', () => {
  const parse = (fields: unknown[]) => CustomFieldInputs.safeParse(fields).success

  test('labels are unique, and so are options', () => {
    expect(
      parse([
        { label: 'A', type: 'text' },
        { label: 'A', type: 'checkbox' },
      ]),
    ).toBe(false)
    expect(parse([{ label: 'A', type: 'select', options: ['x', 'x'] }])).toBe(false)
  })

  test('options belong to the select types, which need them', () => {
    expect(parse([{ label: 'A', type: 'select' }])).toBe(false)
    expect(parse([{ label: 'A', type: 'text', options: ['x'] }])).toBe(false)
    expect(parse([{ label: 'A', type: 'multi_select', options: ['x'] }])).toBe(true)
  })

  test('a label keeps its id over an edit, a new one gets a new id', () => {
    const before = [field({ label: 'Environment' })]
    const [input] = CustomFieldInputs.parse([{ label: 'Environment', type: 'text' }])
    const [other] = CustomFieldInputs.parse([{ label: 'Ticket', type: 'text' }])
    if (input === undefined || other === undefined) throw new Error('the fields were not parsed')
    const ids = identifyFields([input, other], before, () => 'new').map((each) => each.id)
    expect(ids).toEqual([id, 'new'])
  })
})
