import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

/** How a browser is started. `library_path`: where it finds what the machine does not have. */
export type Chromium = { program: string; library_path?: string }

const run = promisify(execFile)

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function findInstalled(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env
  if (CHROMIUM) return CHROMIUM
  const folders = PATH.split(path.delimiter)
  const files = folders.flatMap((folder) => names.map((name) => path.join(folder, name)))
  return files.find((file) => existsSync(file))
}

/** What was brought into the folder, whole. */
function findBrought(folder: string): Chromium | undefined {
  const program = path.join(folder, 'usr/lib/chromium/chromium')
  if (!existsSync(program)) return undefined
  const libraries = path.join(folder, 'usr/lib')
  const own = readdirSync(libraries).filter((name) => name.endsWith('-linux-gnu'))
  return { program, library_path: own.map((name) => path.join(libraries, name)).join(':') }
}

/** The browser and what it needs of libraries that this machine lacks: nothing is installed, no root is needed. */
async function bring(folder: string, signal: AbortSignal): Promise<void> {
  const fresh = `${folder}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  try {
    const options = { signal, cwd: fresh, maxBuffer: 64_000_000 }
    const plan = ['install', '--simulate', '--no-install-recommends', '--yes', 'chromium']
    const { stdout } = await run('apt-get', plan, options)
    const packages = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '')
    await run('apt-get', ['download', ...packages], options)
    for (const file of readdirSync(fresh).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['--extract', file, '.'], options)
      rmSync(path.join(fresh, file))
    }
    rmSync(folder, { recursive: true, force: true })
    renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** The browser for the tests: one that is installed, else Debian's, kept in `folder`. Undefined, said aloud: there is none. */
export async function provideChromium(
  folder: string,
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): Promise<Chromium | undefined> {
  const program = findInstalled()
  if (program !== undefined) return { program }
  const kept = findBrought(folder)
  if (kept !== undefined) return kept
  try {
    say('no Chromium on the PATH: fetching Debian’s into .data')
    await bring(folder, signal)
  } catch {
    // No apt, no network, another system: what follows says what that means.
  }
  const brought = findBrought(folder)
  if (brought === undefined)
    say(
      'no Chromium: the tests of the pages are skipped. Install it, or name one by CHROMIUM=/path/to/chromium.',
    )
  return brought
}
