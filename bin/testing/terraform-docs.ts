import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { run } from '../embedded/run-program.ts'
import { go, moduleFolder, providerSource } from './terraform-provider.ts'
import type { ProviderMirror } from './terraform-provider.ts'

const configuration = `terraform {
  required_providers {
    justiam = { source = "${providerSource}" }
  }
}
`

/** What the provider says of itself, under the short name by which the generator looks for it. */
async function readSchema(folder: string, { mirror }: ProviderMirror): Promise<string> {
  const env = { ...process.env, TF_CLI_CONFIG_FILE: path.join(folder, 'none.tfrc'), CHECKPOINT_DISABLE: '1' }
  const options = { cwd: folder, env, timeout: 120_000, maxBuffer: 64 << 20 }
  writeFileSync(path.join(folder, 'none.tfrc'), '')
  writeFileSync(path.join(folder, 'main.tf'), configuration)
  await run('terraform', ['init', '-input=false', `-plugin-dir=${mirror}`], options)
  const schema = await run('terraform', ['providers', 'schema', '-json'], options)
  return schema.replace(`"${providerSource}"`, '"justiam"')
}

/** Writes the documentation of the provider that was built. @param docs where to, from the provider's module on */
export async function writeDocs(built: ProviderMirror, docs: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'terraform-docs-'))
  try {
    const schema = path.join(folder, 'schema.json')
    writeFileSync(schema, await readSchema(folder, built))
    const names = ['--provider-name', 'justiam', '--rendered-provider-name', 'Hallpass']
    const places = [
      '--provider-dir',
      moduleFolder,
      '--providers-schema',
      schema,
      '--rendered-website-dir',
      docs,
    ]
    await go('-C', 'tools', 'tool', 'tfplugindocs', 'generate', ...names, ...places)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
