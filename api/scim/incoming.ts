import { Messages, Types } from 'scimmy'
import { z } from 'zod'

import { asSpelled, attributeOf, entriesOf, isForgotten, longestPath, withLowerNames } from './names.ts'
import { ScimError } from './problem.ts'

/** Of operations, and of the attributes that they name. */
const mostChanges = 1_000

const lowered = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(withLowerNames, schema)

const Operation = z.object({
  op: z
    .string()
    .transform((op) => op.toLowerCase())
    .pipe(z.enum(['add', 'replace', 'remove'])),
  path: z.string().max(longestPath).optional(),
  value: z.unknown().optional(),
})
export type Operation = z.infer<typeof Operation>

const Patch = lowered(
  z.object({
    schemas: z.tuple([z.literal('urn:ietf:params:scim:api:messages:2.0:PatchOp')]),
    operations: z.array(lowered(Operation)).min(1).max(mostChanges),
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

type Entries = [name: string, value: unknown][]

/** `name`: as it is spelled here. */
function mendValue(name: string, value: unknown): unknown {
  if (name === 'active') return asBoolean(value)
  const parts = name === 'name' ? entriesOf(value) : undefined
  return parts ? Object.fromEntries(parts.map(([part, each]) => [asSpelled(part), each])) : value
}

function mendField([path, value]: Entries[number]): Entries[number] {
  const name = asSpelled(path)
  return [name, mendValue(name, value)]
}

const mended = (entries: Entries): Record<string, unknown> =>
  Object.fromEntries(entries.filter(([name]) => !isForgotten(name)).map(mendField))

function unwrapped(path: string, value: unknown): unknown {
  const { success, data } = Wrapped.safeParse(value)
  return success && attributeOf(path) !== 'members' ? data : value
}

function mendOperation({ path, value, ...operation }: Operation): Operation {
  if (path === undefined) {
    const entries = entriesOf(value)
    return { ...operation, value: entries ? mended(entries) : value }
  }
  const [name, mendedValue] = mendField([path, unwrapped(path, value)])
  return { ...operation, path: name, value: mendedValue }
}

const countNames = ({ path, value }: Operation): number =>
  path === undefined ? (entriesOf(value)?.length ?? 0) : 1

/** @throws ScimError */
function assertFew(operations: Operation[]): Operation[] {
  const named = operations.reduce((count, operation) => count + countNames(operation), 0)
  if (named <= mostChanges) return operations
  throw new ScimError('tooMany', `One call changes at most ${mostChanges} attributes.`)
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
  const entries = entriesOf(body)
  if (!entries) throw new ScimError('invalidSyntax', 'The body is not a resource.')
  return mended(entries)
}

/** @throws ScimError */
export const readResource = <Kind>(
  create: (fields: Record<string, unknown>) => Kind,
  fields: Record<string, unknown>,
): Promise<Kind> => refusing(() => create(fields))

/** @throws ScimError */
export function readOperations(body: unknown): Operation[] {
  const { success, data, error } = Patch.safeParse(body)
  if (success)
    return assertFew(data.operations.filter(({ path = '' }) => !isForgotten(path)).map(mendOperation))
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
