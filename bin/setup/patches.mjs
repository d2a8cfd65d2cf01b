import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** The files in `patches/`: faults of packages that are mended here until a version without them is out. */
export function patchFiles(root) {
  const folder = path.join(root, 'patches')
  return existsSync(folder)
    ? readdirSync(folder)
        .sort()
        .map((name) => path.join(folder, name))
    : []
}

/** Applies them to packages as they were downloaded. @throws where one does not fit its package any more */
export function patchModules(root) {
  const files = patchFiles(root)
  if (files.length === 0) return
  const { applyPatch, parsePatch } = createRequire(path.join(root, 'package.json'))('diff')
  for (const file of files) {
    for (const part of parsePatch(readFileSync(file, 'utf8'))) {
      const target = path.join(root, part.newFileName.replace(/^b\//, ''))
      const patched = applyPatch(readFileSync(target, 'utf8'), part)
      if (patched === false)
        throw new Error(`${path.basename(file)} does not fit ${path.relative(root, target)}`)
      writeFileSync(target, patched)
    }
  }
}
