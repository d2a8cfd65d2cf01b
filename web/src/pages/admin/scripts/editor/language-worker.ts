import { createSystem, createVirtualTypeScriptEnvironment } from '@typescript/vfs'
import ts from 'typescript-6'

import declarations from '../../../../../../scripts/hallpass.d.ts?raw'
import type { Ask, Complaint, Completions, Reply } from './language.ts'

/** What the language itself declares, without what browsers and Node add: scripts have neither. */
const libraries = import.meta.glob<string>(
  '../../../../../../node_modules/typescript-6/lib/lib.{es5,es20*,decorators*}.d.ts',
  { query: '?raw', import: 'default', eager: true, exhaustive: true },
)

const file = '/script.ts'

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  lib: ['es2024'],
  module: ts.ModuleKind.ESNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  strict: true,
  // Plain JavaScript is welcome, which says nothing of its parameters.
  noImplicitAny: false,
  types: [],
}

function createEnvironment() {
  const files = new Map([
    ['/hallpass.d.ts', declarations],
    [file, ' '],
  ])
  for (const [path, text] of Object.entries(libraries)) files.set(path.replace(/^.*\//, '/'), text)
  return createVirtualTypeScriptEnvironment(createSystem(files), ['/hallpass.d.ts', file], ts, options)
}

const { languageService, updateFile } = createEnvironment()

/** An empty file would be deleted. */
const load = (text: string) => updateFile(file, text === '' ? ' ' : text)

function check(text: string): Complaint[] {
  load(text)
  const found = [
    ...languageService.getSyntacticDiagnostics(file),
    ...languageService.getSemanticDiagnostics(file),
  ]
  return found.map(({ start = 0, length = 0, messageText }) => ({
    from: start,
    to: start + length,
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }))
}

function complete(text: string, at: number): Completions | null {
  load(text)
  const found = languageService.getCompletionsAtPosition(file, at, {})
  if (found === undefined) return null
  const span = found.optionalReplacementSpan
  return {
    from: span?.start ?? null,
    options: found.entries.map(({ name, kind, sortText }) => ({ label: name, kind, sortText })),
  }
}

/** What it is, and what is said of it. */
function describe(text: string, at: number, name: string): string {
  load(text)
  const found = languageService.getCompletionEntryDetails(file, at, name, {}, undefined, {}, undefined)
  if (found === undefined) return ''
  const parts = [found.displayParts, found.documentation ?? []]
  return parts
    .map((each) => ts.displayPartsToString(each))
    .filter((said) => said !== '')
    .join('\n\n')
}

function answer(ask: Ask): Reply['answer'] {
  if (ask.kind === 'check') return check(ask.text)
  if (ask.kind === 'complete') return complete(ask.text, ask.at)
  return describe(ask.text, ask.at, ask.name)
}

addEventListener('message', ({ data }: MessageEvent<{ id: number; ask: Ask }>) => {
  const reply: Reply = { id: data.id, answer: answer(data.ask) }
  // A worker's page is its only listener.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  postMessage(reply)
})
