import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

// GHSA-864f-rcv7-6rh4: up to 7.0.0 a script that holds one Reference can leave the isolate.
const oldestSafeVersion = [7, 0, 1]

/** Throws for a version of isolated-vm with a known way out of the isolate. */
export function assertSafeVersion(version: string): void {
  const parts = version.split(/[.-]/).slice(0, oldestSafeVersion.length).map(Number)
  const firstDifference = oldestSafeVersion.findIndex((part, index) => parts[index] !== part)
  if (firstDifference < 0) return
  if ((parts[firstDifference] ?? 0) > (oldestSafeVersion[firstDifference] ?? 0)) return
  throw new Error(`isolated-vm ${version} is not safe: 7.0.1 or newer is needed`)
}

/** The path of isolated-vm's native library for this machine; it is loaded by the child alone. */
export function findAddon(): string {
  const manifest = require.resolve('isolated-vm/package.json')
  assertSafeVersion(JSON.parse(readFileSync(manifest, 'utf8')).version)
  const folder = dirname(manifest)
  const built = join(folder, 'build/Release/isolated_vm.node')
  const found = existsSync(built) ? built : findPrebuilt(join(folder, 'prebuilds'))
  if (found === null) throw new Error(`isolated-vm has no library for ${process.platform}-${process.arch}`)
  return found
}

function findPrebuilt(folder: string): string | null {
  const ours = join(folder, `${process.platform}-${process.arch}`)
  if (!existsSync(ours)) return null
  const tags = [`abi${process.versions.modules}`, ...(process.platform === 'linux' ? [libc()] : [])]
  const name = readdirSync(ours).find((each) => tags.every((tag) => each.split('.').includes(tag)))
  return name === undefined ? null : join(ours, name)
}

const libc = () => (existsSync('/etc/alpine-release') ? 'musl' : 'glibc')
