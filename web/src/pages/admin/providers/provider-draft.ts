import type { SignInProvider } from '../../../../../domain/sign-in-provider.ts'
import { wordsOf } from '../../../admin/lines.ts'
import type { Routes } from '../../../api/routes.ts'

/** What the form of a provider holds. `client_secret` '' leaves the one that is there. */
export type ProviderDraft = {
  name: string
  issuer: string
  client_id: string
  client_secret: string
  scopes: string
  group_claim: string
  group_mappings: { value: string; group_id: string }[]
  create_identities: boolean
  allowed_email_domains: string
  enabled: boolean
}

export const emptyProvider: ProviderDraft = {
  name: '',
  issuer: '',
  client_id: '',
  client_secret: '',
  scopes: 'openid email profile',
  group_claim: '',
  group_mappings: [],
  create_identities: false,
  allowed_email_domains: '',
  enabled: true,
}

export const draftOfProvider = (provider: SignInProvider): ProviderDraft => ({
  name: provider.name,
  issuer: provider.issuer,
  client_id: provider.client_id,
  client_secret: '',
  scopes: provider.scopes.join(' '),
  group_claim: provider.group_claim ?? '',
  group_mappings: provider.group_mappings,
  create_identities: provider.create_identities,
  allowed_email_domains: provider.allowed_email_domains.join('\n'),
  enabled: provider.enabled,
})

export const bodyOf = ({
  client_secret,
  scopes,
  group_claim,
  allowed_email_domains,
  ...draft
}: ProviderDraft): Routes['POST /sign-in-providers']['body'] => ({
  ...draft,
  ...(client_secret !== '' && { client_secret }),
  scopes: wordsOf(scopes),
  group_claim: group_claim.trim() === '' ? null : group_claim.trim(),
  allowed_email_domains: wordsOf(allowed_email_domains),
})
