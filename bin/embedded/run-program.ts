import { type ExecFileOptions, execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Runs a program to its end, 10 s at most unless told otherwise, and returns what it printed; an error carries the last line of its stderr. */
export async function run(
  program: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      timeout: 10_000,
      ...options,
      encoding: 'utf8',
    })
    return stdout
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    const reason = stderr.split('\n').at(-1) || (error instanceof Error ? error.message : String(error))
    throw new Error(`${program}: ${reason}`, { cause: error })
  }
}
