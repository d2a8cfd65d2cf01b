import { javascript } from '@codemirror/lang-javascript'
import { linter, lintGutter, type Diagnostic } from '@codemirror/lint'
import { basicSetup, EditorView } from 'codemirror'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'

import { styleNonce } from '../../../../ui/style-nonce.ts'
import classes from './code-editor.module.css'
import { completion } from './completion.ts'
import { highlighting } from './highlighting.ts'
import { check } from './language.ts'
import { Complaints, type Place } from './complaints.tsx'

/** What the server refused at the last save; it holds as long as the text is that one. */
export type Refused = { text: string; line: number; column: number; message: string }

type CodeEditorProps = {
  text: string
  refused: Refused | undefined
  onChange: (text: string) => void
}

function refusalIn({ state: { doc } }: EditorView, refused: Refused | undefined): Diagnostic[] {
  if (refused === undefined || refused.text !== doc.toString()) return []
  const line = doc.line(Math.min(Math.max(refused.line, 1), doc.lines))
  const from = Math.min(line.from + Math.max(refused.column - 1, 0), line.to)
  return [{ from, to: Math.max(from, line.to), severity: 'error', message: `Refused: ${refused.message}` }]
}

const theme = EditorView.theme({
  '&': { backgroundColor: '#fff', color: '#1a1b1e', fontSize: '14px' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.55' },
  '.cm-content': { minHeight: '18rem' },
})

/** Where each complaint is, for people. */
const placesOf = ({ state: { doc } }: EditorView, found: readonly Diagnostic[]): Place[] =>
  found.map(({ from, message }) => {
    const { number, from: start } = doc.lineAt(from)
    return { line: number, column: from - start + 1, at: from, message }
  })

type Live = CodeEditorProps & { onPlaces: (places: Place[]) => void }

/** Type errors, and what the server said, in one list. */
async function lint(view: EditorView, live: { current: Live }): Promise<Diagnostic[]> {
  const text = view.state.doc.toString()
  const complaints = await check(text)
  if (view.state.doc.toString() !== text) return []
  const found = [
    ...refusalIn(view, live.current.refused),
    ...complaints.map((complaint): Diagnostic => ({ ...complaint, severity: 'error' })),
  ]
  live.current.onPlaces(placesOf(view, found))
  return found
}

/** The text is the same after a refusal: the linter itself looks again at changes alone. */
function wasRefused(live: { current: Live }): () => boolean {
  let seen = live.current.refused
  return () => {
    const isNew = live.current.refused !== seen
    seen = live.current.refused
    return isNew
  }
}

function createEditor(parent: HTMLElement, live: { current: Live }): EditorView {
  return new EditorView({
    parent,
    doc: live.current.text,
    extensions: [
      EditorView.cspNonce.of(styleNonce),
      basicSetup,
      javascript({ typescript: true }),
      highlighting(),
      completion(),
      lintGutter(),
      linter((view) => lint(view, live), { delay: 400, needsRefresh: wasRefused(live) }),
      theme,
      EditorView.contentAttributes.of({
        'aria-label': 'Script',
        'aria-describedby': 'editor-help',
        tabindex: '0',
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) live.current.onChange(update.state.doc.toString())
      }),
    ],
  })
}

/** The editor of scripts: completion and type errors come from what scripts can call. Tab leaves it. */
export function CodeEditor(props: CodeEditorProps) {
  const [places, setPlaces] = useState<Place[]>()
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const live = useRef<Live>({ ...props, onPlaces: setPlaces })
  live.current = { ...props, onPlaces: setPlaces }
  // Before anything is painted: its place would be empty for a moment, and all below it jump.
  useLayoutEffect(() => {
    if (place.current === null) return undefined
    const editor = createEditor(place.current, live)
    view.current = editor
    return () => editor.destroy()
  }, [])
  useEffect(() => {
    const editor = view.current
    if (editor === null || editor.state.doc.toString() === props.text) return
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: props.text } })
  }, [props.text])
  useEffect(() => {
    view.current?.dispatch({})
  }, [props.refused])
  const show = (at: number) => {
    view.current?.dispatch({ selection: { anchor: at }, scrollIntoView: true })
    view.current?.focus()
  }
  return (
    <>
      <div ref={place} className={classes.editor} />
      <Complaints places={places} onShow={show} />
    </>
  )
}
