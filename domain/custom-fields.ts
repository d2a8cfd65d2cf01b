import { z } from 'zod'

import { pointerTo } from './errors.ts'
import type { FieldError } from './errors.ts'
import { recordOf } from './record.ts'
import { Name, Text } from './text.ts'

export const customFieldTypes = ['text', 'textarea', 'select', 'multi_select', 'checkbox'] as const

const hasOptions = (type: (typeof customFieldTypes)[number]) => type === 'select' || type === 'multi_select'

const isDistinct = (values: readonly unknown[]) => new Set(values).size === values.length

/** One extra question of a template. `id` is given by the server where the admin leaves it out. */
export const CustomField = z
  .strictObject({
    id: z.uuid().toLowerCase(),
    label: Name,
    type: z.enum(customFieldTypes),
    required: z.boolean().default(false),
    placeholder: Text(500).default(''),
    options: z.array(Name).max(200).default([]),
  })
  .meta({ id: 'CustomField' })
export type CustomField = z.infer<typeof CustomField>

/** The same as an admin sends it. */
export const CustomFieldInput = CustomField.extend({ id: CustomField.shape.id.optional() })
  .refine(({ type, options }) => hasOptions(type) === options.length > 0, {
    path: ['options'],
    message: 'select and multi_select need options, the other types take none',
  })
  .refine(({ options }) => isDistinct(options), { path: ['options'], message: 'options must be distinct' })
  .meta({ id: 'CustomFieldInput' })
export type CustomFieldInput = z.infer<typeof CustomFieldInput>

export const CustomFieldInputs = z
  .array(CustomFieldInput)
  .max(50)
  .refine((fields) => isDistinct(fields.map(({ label }) => label)), 'labels must be unique')
  .refine((fields) => isDistinct(fields.flatMap(({ id }) => id ?? [])), 'ids must be unique')

/** Gives every field an id: its own, else the one its label had before, else a new one. */
export function identifyFields(
  fields: readonly CustomFieldInput[],
  before: readonly CustomField[],
  newId: () => string,
): CustomField[] {
  const known = new Map(before.map(({ label, id }) => [label, id]))
  const taken = new Set(fields.flatMap(({ id }) => id ?? []))
  return fields.map((field) => {
    const kept = known.get(field.label)
    return { ...field, id: field.id ?? (kept !== undefined && !taken.has(kept) ? kept : newId()) }
  })
}

export const CustomAnswers = recordOf(z.string(), z.unknown())
export type CustomAnswers = Record<string, string | string[] | boolean>

const text = (max: number) => (required: boolean) => {
  const answer = Text(max)
  return required ? answer.refine((value) => value.trim() !== '', 'an answer is required') : answer
}

const answerSchemas = {
  text: ({ required }: CustomField) => text(1_000)(required),
  textarea: ({ required }: CustomField) => text(10_000)(required),
  select: ({ options, required }: CustomField) =>
    required ? z.enum(options) : z.enum(options).or(z.literal('')),
  multi_select: ({ options, required }: CustomField) =>
    z
      .array(z.enum(options))
      .min(required ? 1 : 0, 'an answer is required')
      .refine(isDistinct, 'options must be distinct'),
  checkbox: ({ required }: CustomField) =>
    required ? z.literal(true, 'this box has to be ticked') : z.boolean(),
} satisfies Record<CustomField['type'], (field: CustomField) => z.ZodType>

function refusal(field: CustomField, answers: Record<string, unknown>): string | undefined {
  if (!Object.hasOwn(answers, field.id)) return field.required ? 'an answer is required' : undefined
  const parsed = answerSchemas[field.type](field).safeParse(answers[field.id])
  return parsed.success ? undefined : (parsed.error.issues[0]?.message ?? 'is not valid')
}

/** Every reason why `answers` do not fit `fields`; empty when they do. Unknown keys are refused. */
export function refuseAnswers(
  fields: readonly CustomField[],
  answers: Record<string, unknown>,
): FieldError[] {
  const known = new Set(fields.map(({ id }) => id))
  const unknown = Object.keys(answers).filter((key) => !known.has(key))
  const wrong = fields.flatMap((field) => {
    const detail = refusal(field, answers)
    return detail === undefined
      ? []
      : [{ pointer: `/custom_answers/${field.id}`, detail: `${field.label}: ${detail}` }]
  })
  return [
    ...wrong,
    ...unknown.slice(0, 20).map((key) => ({
      pointer: pointerTo(['custom_answers', key.slice(0, 200)]),
      detail: 'no such field',
    })),
  ]
}
