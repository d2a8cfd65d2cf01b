import { syntaxHighlighting } from '@codemirror/language'
import { classHighlighter } from '@lezer/highlight'

/** Names what it sees by classes, whose colors our style sheet knows: the usual ones are too pale to be read. */
export const highlighting = () => syntaxHighlighting(classHighlighter)
