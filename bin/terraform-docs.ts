import path from 'node:path'

import { loadConfig } from './config.ts'
import { writeDocs } from './testing/terraform-docs.ts'
import { buildProvider } from './testing/terraform-provider.ts'

try {
  const built = await buildProvider(path.join(loadConfig(process.env).data_dir, 'terraform'))
  await writeDocs(built, 'docs')
  process.stdout.write('  terraform/docs is what the provider and its examples say.\n')
} catch (error) {
  process.stderr.write(`  ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
