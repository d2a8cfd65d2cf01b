import type { TestProduct } from '../../setup/product.ts'
import { fresh } from '../../setup/people.ts'

export type ScimAnswer = { status: number; headers: Headers; body: ScimBody }

/** What the tests read of a user, a group, a list or an error. */
export type ScimBody = {
  schemas: string[]
  id: string
  externalId?: string
  userName: string
  displayName: string
  active: boolean
  name?: Record<string, string>
  members?: { value: string; display?: string }[]
  meta: { location: string; resourceType: string }
  Resources: ScimBody[]
  totalResults: number
  startIndex: number
  itemsPerPage: number
  status: string
  scimType?: string
  detail: string
}

export type Provider = {
  token_id: string
  token: string
  call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<ScimAnswer>
  /** An answer that the test reads itself. */
  open: (path: string) => Promise<Response>
  addUser: (fields?: object) => Promise<ScimBody>
  addGroup: (members?: Pick<ScimBody, 'id'>[], fields?: object) => Promise<ScimBody>
}

const core = 'urn:ietf:params:scim:schemas:core:2.0'

/** The body of a PATCH. */
export const operations = (...Operations: object[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
})

/** An identity provider with a token that the demo's admin has made. */
export async function addProvider(product: TestProduct, rights: object = {}): Promise<Provider> {
  const admin = await product.as('admin')
  const { body: made, status } = await admin.call<{ id: string; token: string }>('POST', '/scim-tokens', {
    name: fresh('provider'),
    ...rights,
  })
  if (status !== 201) throw new Error(`the token was refused: ${JSON.stringify(made)}`)
  const call: Provider['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${product.url}/scim/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${made.token}`, 'content-type': 'application/scim+json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: JSON.parse(text === '' ? 'null' : text),
    }
  }
  const add = async (path: string, resource: object) => {
    const answer = await call('POST', path, resource)
    if (answer.status !== 201) throw new Error(`refused: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  return {
    token_id: made.id,
    token: made.token,
    call,
    open: (path) =>
      fetch(`${product.url}/scim/v2${path}`, { headers: { authorization: `Bearer ${made.token}` } }),
    addUser: (fields = {}) =>
      add('/Users', {
        schemas: [`${core}:User`],
        userName: `${fresh('user')}@example.com`,
        active: true,
        ...fields,
      }),
    addGroup: (members = [], fields = {}) =>
      add('/Groups', {
        schemas: [`${core}:Group`],
        displayName: fresh('group'),
        members: members.map(({ id }) => ({ value: id })),
        ...fields,
      }),
  }
}
