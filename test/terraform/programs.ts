import { run } from '../../bin/embedded/run-program.ts'

/** The program that stands for Terraform: `TERRAFORM=tofu` tries OpenTofu. */
export const terraformProgram = process.env['TERRAFORM'] ?? 'terraform'

/** Minor versions of 1 that the provider can be built and used with. */
const needed = { go: 25, [terraformProgram]: 11 }

async function isThere(program: string, least: number): Promise<boolean> {
  try {
    const env = { ...process.env, TF_CLI_CONFIG_FILE: '', CHECKPOINT_DISABLE: '1' }
    const [, minor] = /1\.(\d+)/.exec(await run(program, ['version'], { env, timeout: 60_000 })) ?? []
    return Number(minor) >= least
  } catch {
    return false
  }
}

/** What these tests need and this machine has not, with versions; empty where it has all. */
export async function findMissingPrograms(): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(needed).map(async ([program, least]) =>
      (await isThere(program, least)) ? [] : [`${program} 1.${least} or later`],
    ),
  )
  return found.flat()
}
