import { Checkbox, NativeSelect, Stack, Textarea, TextInput } from '@mantine/core'

import type { Identity } from '../../../../../domain/directory.ts'
import { MomentInput } from '../../../admin/moment-input.tsx'
import { OnePersonInput, PeopleInput } from '../../../admin/people-input.tsx'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { errorIn, type Form } from '../../../admin/use-form.ts'
import { asKind, kinds, type IdentityDraft } from './identity-draft.ts'
import { levels } from './levels.ts'

type IdentityFormProps = { form: Form<IdentityDraft>; label: string }

export function IdentityForm({ form, label }: IdentityFormProps) {
  const { draft, set, errors } = form
  const isHuman = draft.kind === 'human'
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Identity">
      <Stack gap="md">
        <NativeSelect
          label="Kind"
          data={kinds}
          value={draft.kind}
          error={errors['/kind']}
          onChange={({ currentTarget }) => set({ kind: asKind(currentTarget.value) })}
        />
        <TextInput
          label="Name"
          required
          value={draft.display_name}
          error={errors['/display_name']}
          onChange={({ currentTarget }) => set({ display_name: currentTarget.value })}
        />
        <TextInput
          label={isHuman ? 'E-mail address' : 'Handle'}
          description={isHuman ? 'By which they sign in.' : 'A name that nothing else has, such as ci-bot.'}
          required
          value={draft.email}
          error={errors['/email']}
          onChange={({ currentTarget }) => set({ email: currentTarget.value })}
        />
        {!isHuman && <MachineFields form={form} />}
        <MomentInput
          label="Ends"
          description="From then on it can do nothing, and its access is revoked. Empty: it does not end."
          at={draft.expires_at}
          error={errors['/expires_at']}
          onChange={(expires_at) => set({ expires_at })}
        />
        <Checkbox
          label="Active"
          description="Disabling revokes pending requests and access at once; enabling brings nothing back."
          checked={draft.is_active}
          error={errors['/status']}
          onChange={({ currentTarget }) => set({ is_active: currentTarget.checked })}
        />
        <SaveBar form={form} label={label} />
      </Stack>
    </form>
  )
}

const isPerson = ({ kind, status }: Identity): boolean => kind === 'human' && status === 'active'

/** Who answers for a machine, and how much it may do. */
function MachineFields({ form: { draft, set, errors } }: Pick<IdentityFormProps, 'form'>) {
  return (
    <>
      <OnePersonInput
        label="Owner"
        description="The person who answers for it."
        required
        isOffered={isPerson}
        id={draft.owner_id}
        error={errors['/owner_id']}
        onChange={(owner_id) => set({ owner_id })}
      />
      <PeopleInput
        label="Delegates"
        description="They may ask for access on its behalf. Choose one after the other."
        isOffered={isPerson}
        ids={draft.delegate_ids}
        error={errorIn(errors, '/delegate_ids')}
        onChange={(delegate_ids) => set({ delegate_ids })}
      />
      <Textarea
        label="Purpose"
        required
        rows={2}
        value={draft.purpose}
        error={errors['/purpose']}
        onChange={({ currentTarget }) => set({ purpose: currentTarget.value })}
      />
      <NativeSelect
        label="Privilege class"
        required
        data={[{ value: '', label: 'Not classified' }, ...levels]}
        value={draft.privilege_class}
        error={errors['/privilege_class']}
        onChange={({ currentTarget }) => set({ privilege_class: currentTarget.value })}
      />
      <TextInput
        label="Credentials change every so many days"
        description="Empty: after 90 days, unless it has an end."
        inputMode="numeric"
        value={draft.rotation_days}
        error={errors['/rotation_days']}
        onChange={({ currentTarget }) => set({ rotation_days: currentTarget.value })}
      />
    </>
  )
}
