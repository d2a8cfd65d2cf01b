import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { terraformProgram } from './programs.ts'

/** A line of Terraform's machine-readable output that says what is wrong, and at which line of the configuration. */
export type Diagnostic = {
  severity: 'error' | 'warning'
  summary: string
  detail: string
  address?: string
  snippet?: { code: string }
}
export type PlannedChange = { resource: { addr: string }; action: string; reason?: string }
export type Changes = { add: number; change: number; import: number; remove: number }

type Line = {
  type?: string
  changes?: Changes
  change?: PlannedChange
  diagnostic?: Diagnostic
}

/** What a command did. `code` 2 of a plan: something would change. */
export type Outcome = {
  code: number
  output: string
  changes: Changes | undefined
  planned: PlannedChange[]
  diagnostics: Diagnostic[]
}

export type Workspace = {
  folder: string
  write: (files: Record<string, string>) => void
  remove: (...names: string[]) => void
  /** Runs a command as it is. */
  run: (...args: string[]) => Promise<Outcome>
  init: (...args: string[]) => Promise<Outcome>
  plan: (...args: string[]) => Promise<Outcome>
  apply: (...args: string[]) => Promise<Outcome>
  destroy: (...args: string[]) => Promise<Outcome>
  /** The state as it lies on the disk. */
  state: () => string
  env: Record<string, string>
}

function parseLine(line: string): Line[] {
  try {
    return [JSON.parse(line) as Line]
  } catch {
    return []
  }
}

function countsOf(found: Changes | undefined): Changes | undefined {
  if (found === undefined) return undefined
  const { add, change, import: imported, remove } = found
  return { add, change, import: imported, remove }
}

function readOutcome(code: number, output: string): Outcome {
  const lines = output.split('\n').flatMap(parseLine)
  return {
    code,
    output,
    changes: countsOf(lines.findLast(({ changes }) => changes !== undefined)?.changes),
    planned: lines.flatMap(({ type, change }) => (type === 'planned_change' && change ? [change] : [])),
    diagnostics: lines.flatMap(({ diagnostic }) => diagnostic ?? []),
  }
}

function execute(folder: string, env: Record<string, string>, args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env, maxBuffer: 64 << 20, timeout: 240_000 }
    execFile(terraformProgram, args, options, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0
      resolve(readOutcome(code, stdout + stderr))
    })
  })
}

/** A folder with a configuration of its own. `env` is all that Terraform sees besides PATH. */
export function openWorkspace(folder: string, given: Record<string, string>): Workspace {
  mkdirSync(folder, { recursive: true })
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    TMPDIR: process.env['TMPDIR'] ?? '/tmp',
    CHECKPOINT_DISABLE: '1',
    TF_IN_AUTOMATION: '1',
    ...given,
  }
  const run: Workspace['run'] = (...args) => execute(folder, env, args)
  return {
    folder,
    env,
    run,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
        writeFileSync(path.join(folder, name), text)
      }
    },
    remove: (...names) => names.forEach((name) => rmSync(path.join(folder, name), { force: true })),
    init: (...args) => run('init', '-no-color', '-input=false', ...args),
    plan: (...args) => run('plan', '-json', '-input=false', '-detailed-exitcode', ...args),
    apply: (...args) => run('apply', '-json', '-input=false', '-auto-approve', ...args),
    destroy: (...args) => run('destroy', '-json', '-input=false', '-auto-approve', ...args),
    state: () => readFileSync(path.join(folder, 'terraform.tfstate'), 'utf8'),
  }
}
