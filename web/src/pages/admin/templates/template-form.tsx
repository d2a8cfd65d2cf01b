import { Stack } from '@mantine/core'

import { SaveBar } from '../../../admin/save-bar.tsx'
import type { Form } from '../../../admin/use-form.ts'
import { CustomFields } from './custom-fields.tsx'
import { Deciding } from './deciding.tsx'
import { parseDurations } from './duration-text.ts'
import { Granting } from './granting.tsx'
import type { TemplateDraft } from './template-draft.ts'
import { Telling } from './telling.tsx'
import { Triggering } from './triggering.tsx'

export type TemplateFormProps = {
  form: Form<TemplateDraft>
  /** An existing template keeps its application. */
  isNew: boolean
}

/** What cannot be read here cannot be sent either. */
function findUnreadable({ durations, escalation_after }: TemplateDraft): string | undefined {
  if (parseDurations(durations) === undefined) return 'Mend the durations first.'
  const wait = parseDurations(escalation_after)
  return wait === undefined || wait.length > 1 ? 'Mend the wait before it escalates first.' : undefined
}

/** Everything that a template says. What the API refuses is said at its field. */
export function TemplateForm({ form, isNew }: TemplateFormProps) {
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Template">
      <Stack gap="xl">
        <Granting form={form} isNew={isNew} />
        <Deciding form={form} />
        <Telling form={form} />
        <CustomFields form={form} />
        <Triggering form={form} />
        <SaveBar
          form={form}
          label={isNew ? 'Create template' : 'Save template'}
          blocked={findUnreadable(form.draft)}
        />
      </Stack>
    </form>
  )
}
