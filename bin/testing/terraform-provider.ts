import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { projectRoot } from '../config.ts'
import { run } from '../embedded/run-program.ts'

/** The provider's source: its host is reserved for private use. */
export const providerSource = 'hallpass.internal/hallpass/justiam'

export const moduleFolder = path.join(projectRoot, 'terraform')

/** A mirror that `terraform init` finds the provider in, and a CLI configuration that names it. */
export type ProviderMirror = { mirror: string; cli_config: string }

const patience = { timeout: 1_500_000, maxBuffer: 64 << 20 }

/** Two compilations at once: the machine has other work. The same flags everywhere, so that nothing is compiled twice. */
export const goEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  GOFLAGS: '-trimpath -buildvcs=false -p=2',
  GOTOOLCHAIN: 'local',
  CGO_ENABLED: '0',
})

/** Runs go in the provider's module. */
export const go = (...args: string[]): Promise<string> =>
  run('go', args, { ...patience, cwd: moduleFolder, env: goEnvironment() })

const readVersion = (): string =>
  (JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')) as { version: string }).version

const cliConfig = (mirror: string): string => `provider_installation {
  filesystem_mirror {
    path    = ${JSON.stringify(mirror)}
    include = ["${path.dirname(providerSource)}/*"]
  }
  direct {
    exclude = ["${path.dirname(providerSource)}/*"]
  }
}
`

/** A file that is being read stays whole. */
function writeAtOnce(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return
  writeFileSync(`${file}.${process.pid}`, text)
  renameSync(`${file}.${process.pid}`, file)
}

/** Builds the provider for this machine into `folder`. */
export async function buildProvider(folder: string): Promise<ProviderMirror> {
  const version = readVersion()
  const [os = '', arch = ''] = (await go('env', 'GOOS', 'GOARCH')).trim().split('\n')
  const mirror = path.join(folder, 'mirror')
  const place = path.join(mirror, providerSource, version, `${os}_${arch}`)
  const program = path.join(place, `terraform-provider-justiam_v${version}`)
  mkdirSync(place, { recursive: true })
  const built = path.join(folder, `provider-${process.pid}`)
  await go('build', '-ldflags', `-s -w -X main.version=${version}`, '-o', built, '.')
  renameSync(built, program)
  const cli_config = path.join(folder, 'terraform.rc')
  writeAtOnce(cli_config, cliConfig(mirror))
  return { mirror, cli_config }
}
