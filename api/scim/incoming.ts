import { Messages, Types } from 'scimmy'
import { z } from 'zod'

import { ScimError } from './problem.ts'

const Resource = z.record(z.string(), z.unknown())

const Patch = z.object({
  schemas: z.tuple([z.literal('urn:ietf:params:scim:api:messages:2.0:PatchOp')]),
  Operations: z
    .array(
      z.object({
        op: z
          .string()
          .transform((op) => op.toLowerCase())
          .pipe(z.enum(['add', 'replace', 'remove'])),
        path: z.string().max(1_000).optional(),
        value: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(1_000),
})
type Operation = z.infer<typeof Patch>['Operations'][number]

/** Entra writes booleans as text. */
const asBoolean = (value: unknown): unknown =>
  typeof value === 'string' && /^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : value

const isActive = (name: string): boolean => withoutSchema(name).toLowerCase() === 'active'

/** Of schemas that are not kept here, above all the enterprise extension. */
const isForeign = (name: string): boolean =>
  /^urn:/i.test(name) && !/^urn:ietf:params:scim:schemas:core:2\.0:(user|group)/i.test(name)

/**
 * Lists that are not kept: Entra adds to the entry of a type, which is never there. The one address of a user is its
 * `userName`.
 */
const isForgotten = (path: string): boolean =>
  /^(emails|phoneNumbers|ims|photos|addresses|entitlements|roles|x509Certificates)\b/i.test(path)

/** A path may name its attribute in full. */
const withoutSchema = (path: string): string =>
  path.replace(/^urn:ietf:params:scim:schemas:core:2\.0:(user|group):/i, '')

/** SCIMMY writes to whatever a filter in a path names, prototypes too: there is one that it may read. @throws ScimError */
function assertHarmless(operation: Operation): Operation {
  const { path, value } = operation
  const paths = path === undefined ? Object.keys(Object(value)) : [path]
  const isHarmless = paths.every(
    (each) => !each.includes('[') || /^members\[value eq "[^"\\]{1,100}"\](\.\w+)?$/i.test(each),
  )
  if (isHarmless) return operation
  throw new ScimError('invalidPath', 'The one filter that a path may hold is members[value eq "…"].')
}

const mended = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([name]) => !isForeign(name) && !isForgotten(name))
      .map(([name, value]) => [withoutSchema(name), isActive(name) ? asBoolean(value) : value]),
  )

function mendOperation({ path, value, ...operation }: Operation): Operation {
  if (path !== undefined)
    return { ...operation, path: withoutSchema(path), value: isActive(path) ? asBoolean(value) : value }
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

/** @throws ScimError */
export function readResource<Kind>(
  create: (fields: Record<string, unknown>) => Kind,
  body: unknown,
): Promise<Kind> {
  const { success, data } = Resource.safeParse(body)
  if (!success) throw new ScimError('invalidSyntax', 'The body is not a resource.')
  return refusing(() => create(mended(data)))
}

/** @throws ScimError */
export function readOperations(body: unknown): Operation[] {
  const { success, data, error } = Patch.safeParse(body)
  if (success)
    return data.Operations.map(mendOperation)
      .filter(({ path = '' }) => !isForeign(path) && !isForgotten(path))
      .map(assertHarmless)
  const [issue] = error.issues
  throw new ScimError('invalidSyntax', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}.`)
}

/** The resource as the operations leave it. @throws ScimError */
export async function applyOperations<Kind extends Types.Schema>(
  resource: Kind,
  operations: Operation[],
): Promise<Kind> {
  if (operations.length === 0) return resource
  const patch = { schemas: [Messages.PatchOp.id], Operations: operations } as const
  // What changes nothing is answered with nothing.
  return refusing(async () => {
    const patched: Kind | undefined = await new Messages.PatchOp(patch as never).apply(resource)
    return patched ?? resource
  })
}
