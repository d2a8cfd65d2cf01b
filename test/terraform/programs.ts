import { run } from '../../bin/embedded/run-program.ts'

/** The program that stands for Terraform: `TERRAFORM=tofu` tries OpenTofu. */
export const terraformProgram = process.env['TERRAFORM'] ?? 'terraform'

const isThere = (program: string, argument: string): Promise<boolean> =>
  run(program, [argument], { env: { ...process.env, TF_CLI_CONFIG_FILE: '', CHECKPOINT_DISABLE: '1' } }).then(
    () => true,
    () => false,
  )

/** What these tests need and this machine has not; empty where it has all. */
export async function findMissingPrograms(): Promise<string[]> {
  const found = await Promise.all([isThere('go', 'version'), isThere(terraformProgram, 'version')])
  return ['go', terraformProgram].filter((_, index) => found[index] !== true)
}
