import { useRef } from 'react'

import type { Form } from '../../../admin/use-form.ts'
import { isProblem } from '../../../api/problem.ts'
import type { Refused } from './editor/code-editor.tsx'
import type { ScriptDraft } from './script-draft.ts'

/** Where the server could not compile the text that was sent. */
export function useRefused({ error, draft }: Form<ScriptDraft>): Refused | undefined {
  const last = useRef<{ error: Error; refused: Refused }>(undefined)
  if (!isProblem(error, 'script_invalid')) return undefined
  if (last.current?.error !== error) {
    const { line = 1, column = 1, detail } = error.document
    last.current = { error, refused: { text: draft.script, line, column, message: detail } }
  }
  return last.current?.refused
}
