import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { projectRoot } from '../../bin/config.ts'
import { startTestProduct } from '../setup/product.ts'
import type { TestProduct } from '../setup/product.ts'
import { terraformProgram } from './programs.ts'
import type { Stage } from './stage.ts'

/** A command as a terminal shows it, and what it printed. */
type Recorded = { command: string; output: string }

const page = readFileSync(path.join(projectRoot, 'docs', 'terraform.md'), 'utf8')
const blocks = [...page.matchAll(/^```console\n(.*?)^```$/gms)].map(([, text = '']) => text)

/** A command begins with `$ `, and goes on with `> `. */
function readBlock(text: string): Recorded[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const lines = part.split('\n').slice(0, -1)
      const end = lines.findIndex((line, index) => index > 0 && !/^>( |$)/.test(line))
      const [first = '', ...more] = end < 0 ? lines : lines.slice(0, end)
      const command = [first, ...more.map((line) => line.slice(2))].join('\n')
      return { command, output: end < 0 ? '' : lines.slice(end).join('\n') }
    })
}

const recorded = blocks.flatMap(readBlock)

/** The product is started and the provider built already: npm has nothing to do but to name a token. */
const preamble = `
npm() { case "$*" in *token*) printf %s "$PRINTED_TOKEN" ;; esac; }
terraform() { command "$TERRAFORM_PROGRAM" "$@"; }
`
/** More than all commands take on a machine that has other work. */
const patience = 280_000
const mark = '--- the next command ---'

function execute(cwd: string, env: NodeJS.ProcessEnv, commands: string[]): Promise<string[]> {
  const script = preamble + commands.map((command) => `echo '${mark}'\n{ ${command}\n} 2>&1\n`).join('')
  return new Promise((resolve) => {
    const bash = execFile('bash', ['-c', script], { cwd, env, timeout: patience }, (_, stdout) => {
      const outputs = stdout.split(`${mark}\n`).slice(1)
      resolve(outputs.map((output) => output.replace(/\n$/, '').replaceAll('OpenTofu', 'Terraform')))
    })
    bash.stdin?.end()
  })
}

/** A folder in which the commands find what they name of the project. */
function openFolder({ mirror }: Stage): string {
  const folder = path.join(inject('servers').run_folder, `documented-${crypto.randomUUID()}`)
  mkdirSync(path.join(folder, '.data'), { recursive: true })
  symlinkSync(path.dirname(mirror.mirror), path.join(folder, '.data', 'terraform'))
  for (const name of ['terraform', 'scripts'])
    symlinkSync(path.join(projectRoot, name), path.join(folder, name))
  return folder
}

export function describeDocumented(stage: () => Stage): void {
  describe('the commands of its page', () => {
    let product: TestProduct
    let outputs: string[]

    beforeAll(async () => {
      product = await startTestProduct()
      const { token } = await product.as('admin')
      const folder = openFolder(stage())
      const { TF_CLI_CONFIG_FILE: _, ...env } = process.env
      outputs = await execute(
        folder,
        {
          ...env,
          HOME: folder,
          PRINTED_TOKEN: token,
          TERRAFORM_PROGRAM: terraformProgram,
          CHECKPOINT_DISABLE: '1',
        },
        recorded.map(({ command }) => command.replaceAll('http://127.0.0.1:8080', product.url)),
      )
    }, patience)
    afterAll(() => product.close())

    test.each(recorded.map(({ command, output }, index) => ({ command, output, index })))(
      '$command',
      ({ output, index }) => expect(outputs[index]).toBe(output),
    )

    test('are there, and import each kind of resource', () => {
      const kinds = new Set(page.match(/^justiam_\w+(?=\.\w+: Import prepared!$)/gm))
      expect([blocks.length, recorded.length, kinds.size]).toEqual([4, 18, 7])
    })
  })
}
