import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { projectRoot } from '../../bin/config.ts'
import { patchFiles, patchModules } from '../../bin/setup/patches.mjs'

const patch = `A package: says something else.

--- a/node_modules/greeter/greet.js
+++ b/node_modules/greeter/greet.js
@@ -1,3 +1,3 @@
 export function greet() {
-  return 'hello'
+  return 'good day'
 }
`

/** A checkout with one package and its patch. */
function checkout(source: string) {
  const root = mkdtempSync(path.join(tmpdir(), 'hallpass patches '))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const file = path.join(root, 'node_modules', 'greeter', 'greet.js')
  for (const folder of [path.dirname(file), path.join(root, 'patches')])
    mkdirSync(folder, { recursive: true })
  cpSync(path.join(projectRoot, 'node_modules', 'diff'), path.join(root, 'node_modules', 'diff'), {
    recursive: true,
  })
  writeFileSync(file, source)
  writeFileSync(path.join(root, 'patches', 'greeter.patch'), patch)
  return { root, read: () => readFileSync(file, 'utf8') }
}

test('A package is patched as its patch says', () => {
  const { root, read } = checkout(`export function greet() {\n  return 'hello'\n}\n`)
  patchModules(root)
  expect(read()).toBe(`export function greet() {\n  return 'good day'\n}\n`)
})

test('A package that has changed is not patched, and the set-up says which patch does not fit', () => {
  const source = `export const greet = () => 'hello'\n`
  const { root, read } = checkout(source)
  expect(() => patchModules(root)).toThrow('greeter.patch does not fit node_modules/greeter/greet.js')
  expect(read()).toBe(source)
})

test('Every patch of this project is applied to what is installed here', () => {
  expect(patchFiles(projectRoot).length).toBeGreaterThan(0)
  expect(() => patchModules(projectRoot)).toThrow('does not fit')
})
