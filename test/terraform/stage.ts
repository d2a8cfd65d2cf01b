import path from 'node:path'

import { inject } from 'vitest'

import { projectRoot } from '../../bin/config.ts'
import { buildProvider } from '../../bin/testing/terraform-provider.ts'
import type { ProviderMirror } from '../../bin/testing/terraform-provider.ts'
import { startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { openWorkspace } from './workspace.ts'
import type { Workspace } from './workspace.ts'

/** The product and the provider, both built from this tree. */
export type Stage = {
  product: TestProduct
  admin: Caller
  mirror: ProviderMirror
  /** A folder with these files, in which the admin calls the product unless `env` says otherwise. */
  workspace: (files: Record<string, string>, env?: Record<string, string>) => Promise<Workspace>
}

/** What every configuration begins with. */
export const requirements = `terraform {
  required_providers {
    justiam = { source = "hallpass.internal/hallpass/justiam" }
  }
}
`

/** The compiler's output is kept from one test run to the next. */
const providerFolder = path.join(projectRoot, '.data', 'terraform')

export async function setStage(): Promise<Stage> {
  const mirror = await buildProvider(providerFolder)
  const product = await startTestProduct()
  const admin = await product.as('admin')
  const workspace: Stage['workspace'] = async (files, env = {}) => {
    const folder = path.join(inject('servers').run_folder, `terraform-${crypto.randomUUID()}`)
    const opened = openWorkspace(folder, {
      TF_CLI_CONFIG_FILE: mirror.cli_config,
      HALLPASS_ENDPOINT: product.url,
      ...('HALLPASS_CLIENT_ID' in env ? {} : { HALLPASS_TOKEN: admin.token }),
      ...env,
    })
    opened.write(files)
    const { code, output } = await opened.init()
    if (code !== 0) throw new Error(`terraform init failed: ${output}`)
    return opened
  }
  return { product, admin, mirror, workspace }
}
