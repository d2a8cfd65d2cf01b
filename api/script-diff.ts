import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

import type { ScriptTaskDiff, ScriptTaskInput } from '../domain/script-task.ts'

/** Two versions that have nothing in common would keep the process for long; such a diff says nothing anyway. */
const patienceMs = 200

type Side = { name: string; script: string }

const lines = (mark: string, text: string): string[] =>
  text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => `${mark}${line}`)

const wholly = (from: Side, to: Side): string =>
  [`--- ${from.name}`, `+++ ${to.name}`, ...lines('-', from.script), ...lines('+', to.script), ''].join('\n')

/** Unified text, three lines of context; empty where both are equal. */
export function diffScripts(from: Side, to: Side): string {
  if (from.script === to.script) return ''
  const options = { timeout: patienceMs, headerOptions: FILE_HEADERS_ONLY }
  const patch = createTwoFilesPatch(from.name, to.name, from.script, to.script, undefined, undefined, options)
  return patch ?? wholly(from, to)
}

/** The settings whose values differ, by name; null where one side has none. */
export function diffSettings(
  from: Partial<ScriptTaskInput>,
  to: Partial<ScriptTaskInput>,
): ScriptTaskDiff['settings'] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])] as (keyof ScriptTaskInput)[]
  return names
    .filter((name) => name !== 'script')
    .map((name) => ({ name, from: from[name] ?? null, to: to[name] ?? null }))
    .filter((change) => JSON.stringify(change.from) !== JSON.stringify(change.to))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}
