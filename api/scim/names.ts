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

/** A path may name its attribute in full, and in any letters. */
export const asSpelled = (path: string): string => withoutSchema(path).split('.').map(inOurLetters).join('.')

/** The attribute of the first level that a path leads to. */
export const attributeOf = (path: string): string => inOurLetters(withoutSchema(path).split(/[.[]/)[0] ?? '')

const lists = /^(emails|phoneNumbers|ims|photos|addresses|entitlements|roles|x509Certificates)\b/i
const single = /^(nickName|profileUrl|title|userType|preferredLanguage|locale|timezone|password)$/i

/**
 * What is not kept needs not be right either. Of lists, Entra adds to the entry of a type, which is never there; the one
 * address of a user is its `userName`.
 */
export const isForgotten = (path: string): boolean =>
  isForeign(path) || lists.test(asSpelled(path)) || single.test(asSpelled(path))

/** What messages and members hold is named in any letters. */
export const withLowerNames = (sent: unknown): unknown =>
  typeof sent !== 'object' || sent === null || Array.isArray(sent)
    ? sent
    : Object.fromEntries(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]))
