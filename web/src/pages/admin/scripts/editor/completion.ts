import { autocompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'

import { complete, describe } from './language.ts'

const kinds: Record<string, string> = {
  method: 'method',
  function: 'function',
  property: 'property',
  const: 'constant',
  let: 'variable',
  var: 'variable',
  interface: 'interface',
  type: 'type',
  module: 'namespace',
  keyword: 'keyword',
  string: 'text',
}

/** What the compiler told of it, as text. */
async function showInfo(text: string, at: number, name: string): Promise<Node | null> {
  const said = await describe(text, at, name)
  if (said === '') return null
  const node = document.createElement('div')
  node.textContent = said
  return node
}

/** After a word, a dot or a quote; elsewhere when it is asked for. */
async function source(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[\w$]*/)
  const isAsked = context.explicit || context.matchBefore(/[\w$]+|[.'"`]/) !== null
  if (!isAsked) return null
  const text = context.state.doc.toString()
  const found = await complete(text, context.pos)
  if (found === null || context.aborted) return null
  return {
    from: found.from ?? word?.from ?? context.pos,
    validFor: /^[\w$.]*$/,
    options: found.options.map(({ label, kind, sortText }) => ({
      label,
      type: kinds[kind] ?? 'variable',
      // The compiler's order: what is near comes before what the language has anyway.
      boost: Math.max(-99, 15 - Number(sortText.slice(0, 2) || 15)),
      info: () => showInfo(text, context.pos, label),
    })),
  }
}

export const completion = () => autocompletion({ override: [source] })
