import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import ivm from 'isolated-vm'

import { compileScript } from '../sandbox/compile.ts'
import type { Sandbox } from '../sandbox/run-script.ts'

/** One run of the script that is measured; throws unless the script returned what it should. */
export type Way = () => Promise<void>

const source = readFileSync(
  fileURLToPath(new URL('../scripts/access_request_event_logger.ts', import.meta.url)),
  'utf8',
)

const config: Record<string, string> = {
  trigger_event: 'approved',
  request_id: '01a2066b-b24d-7e0e-94f7-b4f2e488e616',
  request_status: 'approved',
  template_name: 'Database read-only access',
  app_name: 'Internal DB',
  requester_name: 'Alice',
  requester_email: 'alice@example.com',
  justification: 'Need access to debug the production incident.',
}
const configModule = `export default { get: (key) => (${JSON.stringify(config)})[key] ?? '' }`
const logModule = 'const lines = []\nexport default (text) => lines.push(text)'

/** The reference script that only logs, as the product keeps it. */
export const { code } = await compileScript(source)

function expectResult(text: unknown): void {
  if (typeof text === 'string' && text.endsWith('production incident.')) return
  throw new Error(`the script returned ${String(text)}`)
}

/** A run of a sandbox: in a child that waits, or in one that is started for it, as the sandbox has it. */
export const inSandbox =
  (sandbox: Sandbox): Way =>
  async () => {
    const { result, error } = await sandbox.run({ code, filename: 'logger.ts', config, deadline_ms: 20_000 })
    expectResult(result ?? error?.message)
  }

/** An isolate in this process: created, compiled into, run, disposed of. Nothing holds a script that means harm. */
export const inBareIsolate: Way = async () => {
  const isolate = new ivm.Isolate({ memoryLimit: 64 })
  const context = await isolate.createContext()
  const modules = {
    config: await isolate.compileModule(configModule),
    log: await isolate.compileModule(logModule),
  }
  const module = await isolate.compileModule(code)
  await module.instantiate(context, (name) => (name === 'config' ? modules.config : modules.log))
  await module.evaluate({ timeout: 2_000 })
  const run = await module.namespace.get('run', { reference: true })
  expectResult(await run.apply(undefined, [], { timeout: 2_000, result: { promise: true, copy: true } }))
  isolate.dispose()
}

/** `deno run` of the same script, with its two modules written out before it and its result printed. */
export function prepareDeno(deno: string): { run: Way; close: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-deno-'))
  const file = path.join(folder, 'script.js')
  const asConstant = (name: string, module: string) =>
    `const ${name} = (() => { ${module.replace('export default', 'return')} })()`
  const script = code.replace(/^import .*$/gm, '').replace(/^export /gm, '')
  const modules = [asConstant('config', configModule), asConstant('log', logModule)]
  writeFileSync(file, [...modules, script, 'console.log(run())'].join('\n'))
  const env = { DENO_DIR: path.join(folder, 'cache'), DENO_NO_UPDATE_CHECK: '1' }
  return {
    run: async () => {
      const { stdout } = await promisify(execFile)(deno, ['run', '--no-prompt', file], { env, cwd: '/' })
      expectResult(stdout.trimEnd())
    },
    close: () => rmSync(folder, { recursive: true }),
  }
}
