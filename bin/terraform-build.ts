import path from 'node:path'

import { loadConfig } from './config.ts'
import { buildProvider } from './testing/terraform-provider.ts'

try {
  const { mirror, cli_config } = await buildProvider(path.join(loadConfig(process.env).data_dir, 'terraform'))
  process.stdout.write(`  The provider is built. In the folder of your configuration:

    terraform init -plugin-dir=${mirror}

  or, for every folder: export TF_CLI_CONFIG_FILE=${cli_config}
`)
} catch (error) {
  process.stderr.write(`  ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
