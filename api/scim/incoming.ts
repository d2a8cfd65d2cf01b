import { Messages, Types } from 'scimmy'
import { z } from 'zod'

import { asSpelled, attributeOf, isForgotten, withLowerNames } from './names.ts'
import { ScimError } from './problem.ts'

const Resource = z.record(z.string(), z.unknown())

const lowered = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(withLowerNames, schema)

const Operation = z.object({
  op: z
    .string()
    .transform((op) => op.toLowerCase())
    .pipe(z.enum(['add', 'replace', 'remove'])),
  path: z.string().max(1_000).optional(),
  value: z.unknown().optional(),
})
export type Operation = z.infer<typeof Operation>

const Patch = lowered(
  z.object({
    schemas: z.tuple([z.literal('urn:ietf:params:scim:api:messages:2.0:PatchOp')]),
    operations: z.array(lowered(Operation)).min(1).max(1_000),
  }),
)

/** Entra writes what is one thing as a list of it, and booleans as text. */
const Wrapped = z.tuple([z.object({ value: z.unknown() })]).transform(([{ value }]) => value)
const asBoolean = (value: unknown): unknown =>
  typeof value === 'string' && /^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : value

/** SCIMMY writes to whatever a filter in a path names, prototypes too: it is given none. @throws ScimError */
function assertHarmless(operation: Operation): Operation {
  const { path, value } = operation
  const paths = path === undefined ? Object.keys(Object(value)) : [path]
  if (paths.every((each) => !each.includes('['))) return operation
  throw new ScimError('invalidPath', 'The one filter that a path may hold is members[value eq "…"].')
}

const isActive = (path: string): boolean => asSpelled(path) === 'active'

const withNames = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [asSpelled(name), value]))

function mendValue(path: string, value: unknown): unknown {
  if (isActive(path)) return asBoolean(value)
  const parts = asSpelled(path) === 'name' ? Resource.safeParse(value) : undefined
  return parts?.success ? withNames(parts.data) : value
}

const mended = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !isForgotten(name))
      .map(([name, value]) => [asSpelled(name), mendValue(name, value)]),
  )

function unwrapped(path: string, value: unknown): unknown {
  const { success, data } = Wrapped.safeParse(value)
  return success && attributeOf(path) !== 'members' ? data : value
}

function mendOperation({ path, value, ...operation }: Operation): Operation {
  if (path !== undefined)
    return { ...operation, path: asSpelled(path), value: mendValue(path, unwrapped(path, value)) }
  const fields = Resource.safeParse(value)
  return { ...operation, value: fields.success ? mended(fields.data) : value }
}

/** SCIMMY says what is wrong with a type by a plain error. */
async function refusing<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ScimError || !(error instanceof Error)) throw error
    const { success, data } = z
      .enum(['invalidPath', 'invalidSyntax', 'noTarget'])
      .safeParse('scimType' in error ? error.scimType : undefined)
    throw new ScimError(success ? data : 'invalidValue', error.message)
  }
}

/** What is said of a resource, without what is not kept. @throws ScimError */
export function readFields(body: unknown): Record<string, unknown> {
  const { success, data } = Resource.safeParse(body)
  if (!success) throw new ScimError('invalidSyntax', 'The body is not a resource.')
  return mended(data)
}

/** @throws ScimError */
export const readResource = <Kind>(
  create: (fields: Record<string, unknown>) => Kind,
  fields: Record<string, unknown>,
): Promise<Kind> => refusing(() => create(fields))

/** @throws ScimError */
export function readOperations(body: unknown): Operation[] {
  const { success, data, error } = Patch.safeParse(body)
  if (success) return data.operations.filter(({ path = '' }) => !isForgotten(path)).map(mendOperation)
  const [issue] = error.issues
  throw new ScimError('invalidSyntax', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}.`)
}

/** The resource as the operations leave it. @throws ScimError */
export async function applyOperations<Kind extends Types.Schema>(
  resource: Kind,
  operations: readonly Operation[],
): Promise<Kind> {
  if (operations.length === 0) return resource
  const patch = { schemas: [Messages.PatchOp.id], Operations: operations.map(assertHarmless) } as const
  // What changes nothing is answered with nothing.
  return refusing(async () => {
    const patched: Kind | undefined = await new Messages.PatchOp(patch as never).apply(resource)
    return patched ?? resource
  })
}
