import { Stack, Text, TextInput } from '@mantine/core'
import { lazy, Suspense } from 'react'

import { SaveBar } from '../../../admin/save-bar.tsx'
import { Section } from '../../../admin/section.tsx'
import type { Form } from '../../../admin/use-form.ts'
import { Loading } from '../../../ui/states.tsx'
import { Reach } from './reach.tsx'
import { Running } from './running.tsx'
import type { ScriptDraft } from './script-draft.ts'
import { useRefused } from './use-refused.ts'

const CodeEditor = lazy(() =>
  import('./editor/code-editor.tsx').then(({ CodeEditor }) => ({ default: CodeEditor })),
)

const linePx = 21.7
const bordersPx = 10

/** As high as the editor will be, so that nothing below it jumps when it comes. */
const editorHeight = (text: string): number =>
  Math.round(Math.min(Math.max(288, text.split('\n').length * linePx) + bordersPx, innerHeight * 0.65 + 2))

export type ScriptFormProps = { form: Form<ScriptDraft> }

/** The script and how it runs. */
export function ScriptForm({ form, isNew }: ScriptFormProps & { isNew: boolean }) {
  const { draft, set, errors } = form
  const refused = useRefused(form)
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Script">
      <Stack gap="xl">
        <Section
          title="Script"
          about="JavaScript or TypeScript: a module that exports run. Ctrl+Space completes; Tab leaves the editor."
        >
          <TextInput
            label="Name"
            required
            value={draft.name}
            error={errors['/name']}
            onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          />
          <Suspense fallback={<EditorPlace text={draft.script} />}>
            <CodeEditor text={draft.script} refused={refused} onChange={(script) => set({ script })} />
          </Suspense>
        </Section>
        <Running form={form} />
        <Reach form={form} />
        <SaveBar form={form} label={isNew ? 'Create script' : 'Save as a new version'} />
      </Stack>
    </form>
  )
}

function EditorPlace({ text }: { text: string }) {
  return (
    <>
      <Loading rows={1} height={editorHeight(text)} />
      <Text size="sm" c="dimmed">
        Opening the editor…
      </Text>
    </>
  )
}
