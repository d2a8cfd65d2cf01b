import { Button, Stack, Textarea, TextInput } from '@mantine/core'

import type { Secret } from '../../../../../domain/secret.ts'
import { linesOf } from '../../../admin/lines.ts'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { SecretInput } from '../../../admin/secret-input.tsx'
import { Section } from '../../../admin/section.tsx'
import { errorIn, useForm, type Form } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { refusalAt } from '../../../api/problem.ts'

type SecretFormProps = {
  /** Undefined: a new one. */
  replaced: Secret | undefined
  isAgain: boolean
  onDone: () => void
}

type Draft = { name: string; value: string; hosts: string }

const draftOf = (secret: Secret | undefined): Draft => ({
  name: secret?.name ?? '',
  value: '',
  hosts: secret?.hosts.join('\n') ?? '',
})

/** A secret is named by its address: there is none without a name. */
function keep({ name, value, hosts }: Draft) {
  if (name === '') throw refusalAt('/name', 'must not be empty')
  return send('PUT /secrets/{name}', { params: { name }, body: { value, hosts: linesOf(hosts) } })
}

export function SecretForm({ replaced, isAgain, onDone }: SecretFormProps) {
  const { form } = useForm({
    initial: draftOf(replaced),
    write: keep,
    keys: ['secrets'],
    said: 'The secret is kept.',
    onSaved: onDone,
    takesFocus: isAgain,
  })
  return (
    <Section
      title={replaced === undefined ? 'Keep a secret' : `Replace ${replaced.name}`}
      about={
        replaced === undefined
          ? 'A name that is there already gets the new value and hosts.'
          : 'Calls that scripts make from now on carry the new value.'
      }
    >
      <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Secret" autoComplete="off">
        <Stack gap="md">
          <Fields form={form} isNew={replaced === undefined} />
          <SaveBar form={form} label={replaced === undefined ? 'Keep secret' : 'Replace secret'}>
            {replaced !== undefined && (
              <Button variant="default" onClick={onDone}>
                Leave it as it was
              </Button>
            )}
          </SaveBar>
        </Stack>
      </form>
    </Section>
  )
}

function Fields({ form: { draft, set, errors }, isNew }: { form: Form<Draft>; isNew: boolean }) {
  return (
    <>
      <TextInput
        label="Name"
        description={isNew ? 'Letters, digits and underscores, such as SLACK_WEBHOOK.' : undefined}
        required
        readOnly={!isNew}
        value={draft.name}
        error={errors['/name']}
        onChange={({ currentTarget }) => set({ name: currentTarget.value })}
      />
      <SecretInput
        label="Value"
        required
        value={draft.value}
        error={errors['/value']}
        onChange={(value) => set({ value })}
      />
      <Textarea
        label="Hosts that it may be sent to, one a line"
        rows={2}
        value={draft.hosts}
        error={errorIn(errors, '/hosts')}
        onChange={({ currentTarget }) => set({ hosts: currentTarget.value })}
      />
    </>
  )
}
