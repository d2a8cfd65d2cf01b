import { javascript } from '@codemirror/lang-javascript'
import { unifiedMergeView } from '@codemirror/merge'
import { EditorView, minimalSetup } from 'codemirror'
import { useEffect, useRef } from 'react'

import { styleNonce } from '../../../../ui/style-nonce.ts'
import classes from './code-editor.module.css'
import { highlighting } from './highlighting.ts'

const theme = EditorView.theme({
  '&': { backgroundColor: '#fff', color: '#1a1b1e', fontSize: '14px' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.55' },
})

/** How one text became another: what was taken out in red, what came in in green, marked at the edge too. */
export function DiffView({ before, after, label }: { before: string; after: string; label: string }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (place.current === null) return undefined
    const view = new EditorView({
      parent: place.current,
      doc: after,
      extensions: [
        EditorView.cspNonce.of(styleNonce),
        minimalSetup,
        javascript({ typescript: true }),
        highlighting(),
        unifiedMergeView({
          original: before,
          mergeControls: false,
          collapseUnchanged: { margin: 3, minSize: 6 },
        }),
        theme,
        EditorView.editable.of(false),
        EditorView.contentAttributes.of({ 'aria-label': label, 'aria-readonly': 'true', tabindex: '0' }),
      ],
    })
    return () => view.destroy()
  }, [before, after, label])
  return <div ref={place} className={classes.editor} />
}
