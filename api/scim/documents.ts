import { Schemas } from 'scimmy'

/** What is kept of a user and of a group; everything else that a provider sends is taken and forgotten. */
const kept = {
  User: ['userName', 'name', 'displayName', 'active', 'emails'],
  Group: ['displayName', 'members'],
}

const scimSchema = (name: string) => `urn:ietf:params:scim:schemas:core:2.0:${name}`

export const serviceProviderConfig = (base: string) => ({
  schemas: [scimSchema('ServiceProviderConfig')],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: 200 },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: false },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'SCIM token',
      description: 'Authorization: Bearer hpc_…, made by an admin at /api/v1/scim-tokens',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
})

export const resourceTypes = (base: string) =>
  (['User', 'Group'] as const).map((name) => ({
    schemas: [scimSchema('ResourceType')],
    id: name,
    name,
    endpoint: `/${name}s`,
    schema: scimSchema(name),
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${name}` },
  }))

export const schemas = (base: string) =>
  [Schemas.User.definition, Schemas.Group.definition].map((definition) => {
    const { attributes, ...rest } = definition.describe(`${base}/Schemas`)
    const names = definition.name === 'Group' ? kept.Group : kept.User
    return { ...rest, attributes: attributes.filter(({ name }) => names.includes(name)) }
  })
