import { ScimError } from './problem.ts'

/** As SCIMMY writes them, which knows attributes by other letters but finds them by these alone. */
const spelled = new Map(
  [
    'userName',
    'displayName',
    'active',
    'externalId',
    'name',
    'formatted',
    'givenName',
    'familyName',
    'middleName',
    'honorificPrefix',
    'honorificSuffix',
    'members',
    'id',
    'meta',
    'schemas',
  ].map((name) => [name.toLowerCase(), name]),
)

/** Of schemas that are not kept here, above all the enterprise extension. */
const isForeign = (path: string): boolean =>
  /^urn:/i.test(path) && !/^urn:ietf:params:scim:schemas:core:2\.0:(user|group)/i.test(path)

const withoutSchema = (path: string): string =>
  path.replace(/^urn:ietf:params:scim:schemas:core:2\.0:(user|group):/i, '')

const inOurLetters = (name: string): string => spelled.get(name.toLowerCase()) ?? name

/** What is longer leads nowhere. */
export const longestPath = 500

/** A path may name its attribute in full, and in any letters. */
export const asSpelled = (path: string): string =>
  path.length > longestPath ? path : withoutSchema(path).split('.').map(inOurLetters).join('.')

/** The attribute of the first level that a path leads to. */
export const attributeOf = (path: string): string => inOurLetters(withoutSchema(path).split(/[.[]/)[0] ?? '')

const lists = /^(emails|phoneNumbers|ims|photos|addresses|entitlements|roles|x509Certificates)\b/i
const single =
  /^(nickName|profileUrl|title|userType|preferredLanguage|locale|timezone|password|groups|meta)$/i

/**
 * What is not kept needs not be right either. Of lists, Entra adds to the entry of a type, which is never there; the one
 * address of a user is its `userName`.
 */
export function isForgotten(path: string): boolean {
  const local = withoutSchema(path)
  return isForeign(path) || lists.test(local) || single.test(local)
}

/** No resource has so many attributes, and each costs. */
const mostNames = 200

/** What an object names; undefined: it is none. @throws ScimError */
export function entriesOf(sent: unknown): [name: string, value: unknown][] | undefined {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return undefined
  if (Object.keys(sent).length > mostNames)
    throw new ScimError('tooMany', `An object names at most ${mostNames} attributes.`)
  return Object.entries(sent)
}

/** What messages and members hold is named in any letters. @throws ScimError */
export function withLowerNames(sent: unknown): unknown {
  const entries = entriesOf(sent)?.map(([name, value]) => [name.toLowerCase(), value] as const)
  return entries ? Object.fromEntries(entries) : sent
}
