import { refusalAt } from '../../../api/problem.ts'
import type { Routes } from '../../../api/routes.ts'
import { draftOfIdentity, emptyIdentity, type IdentityDraft } from './identity-draft.ts'
import type { Identity } from '../../../../../domain/directory.ts'
import { asLevel } from './levels.ts'

type Body = Routes['POST /identities']['body']
type Patch = Routes['PATCH /identities/{id}']['body']

const orNull = (text: string): string | null => (text.trim() === '' ? null : text)

/** What is no number would be sent as none, and stand for the usual. @throws Problem */
function daysOf(text: string): number | null {
  const days = orNull(text) === null ? null : Number(text)
  if (Number.isNaN(days)) throw refusalAt('/rotation_days', 'must be a whole number')
  return days
}

/** Who owns a machine, and what it is for, is said of machines alone. */
function machineOf(draft: IdentityDraft) {
  const { owner_id, delegate_ids, purpose, privilege_class, rotation_days } = draft
  return {
    owner_id,
    delegate_ids,
    purpose: orNull(purpose),
    privilege_class: asLevel(privilege_class),
    rotation_days: daysOf(rotation_days),
  }
}

const nobodys = machineOf(emptyIdentity)

/** All that the form says. */
export const bodyOf = (draft: IdentityDraft): Body => ({
  kind: draft.kind,
  email: draft.email,
  display_name: draft.display_name,
  ...(draft.kind === 'human' ? nobodys : machineOf(draft)),
  expires_at: draft.expires_at,
  status: draft.is_active ? 'active' : 'disabled',
})

/** What the form says otherwise than the identity does. */
export function changesOf(draft: IdentityDraft, before: Identity): Patch {
  const old = new Map(Object.entries(bodyOf(draftOfIdentity(before))))
  return Object.fromEntries(
    Object.entries(bodyOf(draft)).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(old.get(key)),
    ),
  )
}
