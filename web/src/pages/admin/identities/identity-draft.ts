import type { Identity } from '../../../../../domain/directory.ts'

/** What the form of an identity holds; a level that is '' is none. */
export type IdentityDraft = {
  kind: Identity['kind']
  email: string
  display_name: string
  owner_id: string | null
  delegate_ids: string[]
  purpose: string
  privilege_class: string
  rotation_days: string
  expires_at: string | null
  is_active: boolean
}

export const kinds: { value: Identity['kind']; label: string }[] = [
  { value: 'human', label: 'Person' },
  { value: 'service_account', label: 'Service account' },
  { value: 'workload', label: 'Workload' },
  { value: 'agent', label: 'Agent' },
]

export const asKind = (text: string): Identity['kind'] =>
  kinds.find(({ value }) => value === text)?.value ?? 'human'

export const sayKind = (kind: Identity['kind']): string =>
  kinds.find(({ value }) => value === kind)?.label ?? kind

export const emptyIdentity: IdentityDraft = {
  kind: 'human',
  email: '',
  display_name: '',
  owner_id: null,
  delegate_ids: [],
  purpose: '',
  privilege_class: '',
  rotation_days: '',
  expires_at: null,
  is_active: true,
}

export const draftOfIdentity = (identity: Identity): IdentityDraft => ({
  kind: identity.kind,
  email: identity.email,
  display_name: identity.display_name,
  owner_id: identity.owner_id,
  delegate_ids: identity.delegate_ids,
  purpose: identity.purpose ?? '',
  privilege_class: identity.privilege_class ?? '',
  rotation_days: String(identity.rotation_days ?? ''),
  expires_at: identity.expires_at,
  is_active: identity.status === 'active',
})
