import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import { renderDeclarations } from '../../sandbox/declarations.ts'

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const declarations = path('scripts/hallpass.d.ts')

/** What the type checker says of a script that knows nothing but the declarations; empty when it is content. */
async function complaintsAbout(files: string[]): Promise<string> {
  const options = [
    '--noEmit',
    '--strict',
    '--types',
    '',
    '--lib',
    'es2024',
    '--target',
    'es2024',
    '--module',
    'esnext',
  ]
  const tsc = path('node_modules/.bin/tsc')
  const run = promisify(execFile)(process.execPath, [tsc, ...options, declarations, ...files], {
    cwd: tmpdir(),
  })
  return await run.then(
    () => '',
    (failure: { stdout: string }) => failure.stdout,
  )
}

async function complaintsAboutSource(source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'script-'))
  const file = join(folder, 'script.ts')
  await writeFile(file, source)
  const complaints = await complaintsAbout([file])
  await rm(folder, { recursive: true })
  return complaints
}

describe('the declaration file of scripts', () => {
  it('is what the dispatch table says', async () => {
    await expect(renderDeclarations()).toMatchFileSnapshot(declarations)
  })

  it('types the reference scripts', async () => {
    const scripts = (await readdir(path('scripts'))).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.d.ts'),
    )
    expect(scripts).toContain('access_request_event_logger.ts')
    expect(await complaintsAbout(scripts.map((name) => path(`scripts/${name}`)))).toBe('')
  })

  it('types modules, named imports, globals and both spellings', async () => {
    const source = [
      "import * as http from 'http'",
      "import { Get } from 'config'",
      "import log, { warn } from 'log'",
      'export async function run(): Promise<string> {',
      '  const answer = await http.post(secrets.Get("HOOK"), "application/json", JSON.stringify({ text: Get("a") }))',
      '  const emails = (await idp.getAccessRequestApprovers("r")).map((each) => each.Email)',
      '  const { requested_duration_mins } = await idp.getAccessRequest(config.get("request_id"))',
      '  log(requested_duration_mins / 60, config.get("custom_answers.Why"), config.get("a_key_of_its_own"))',
      '  log(answer.status); warn("x"); console.error(emails)',
      '  return (await http.Post("https://a", { a: 1 }, { headers: { b: "c" } })).body',
      '}',
    ].join('\n')
    expect(await complaintsAboutSource(source)).toBe('')
  })

  it('refuses what a script cannot do', async () => {
    const wrong = [
      "import { set } from 'config'",
      'export const run = () => config.get(1)',
      'process.exit()',
      'fetch("x")',
      'export const read = async () => (await idp.getAccessRequest("r")).custom_answers',
    ]
    const complaints = await complaintsAboutSource(wrong.join('\n'))
    for (const name of ["'set'", "'ConfigKey'", "'process'", "'fetch'", "'custom_answers'"])
      expect(complaints).toContain(name)
  })
})
