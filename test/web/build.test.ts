import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { projectRoot } from '../../bin/config.ts'
import { webBundle } from '../../bin/web-bundle.ts'
import { dataFolder } from '../setup/run-folder.ts'

type Chunk = { file: string; isEntry?: boolean; imports?: string[] }

let folder: string
beforeAll(async () => {
  folder = await webBundle(dataFolder)
})

/** What a browser loads before it shows anything: the entry and all that it imports for certain. */
function firstLoad(): string[] {
  const text = readFileSync(path.join(folder, '.vite/manifest.json'), 'utf8')
  const manifest = JSON.parse(text) as Record<string, Chunk>
  const found = new Set<string>()
  const add = (name: string) => {
    const chunk = manifest[name]
    if (chunk === undefined || found.has(chunk.file)) return
    found.add(chunk.file)
    chunk.imports?.forEach(add)
  }
  for (const [name, { isEntry }] of Object.entries(manifest)) if (isEntry) add(name)
  return [...found].filter((file) => file.endsWith('.js'))
}

const packedSize = (file: string): number => statSync(path.join(folder, `${file}.gz`)).size

describe('the build of the pages', () => {
  test('is not made again while nothing has changed', async () => {
    const before = statSync(folder).mtimeMs
    expect(await webBundle(dataFolder)).toBe(folder)
    expect(statSync(folder).mtimeMs).toBe(before)
  })

  test('is loaded with at most 200 KB of compressed JavaScript, the editor not among it', () => {
    const files = firstLoad()
    const size = files.reduce((sum, file) => sum + packedSize(file), 0)
    process.stdout.write(`  first load: ${(size / 1_000).toFixed(0)} KB of JavaScript (gzip)\n`)
    expect(files.length).toBeGreaterThan(0)
    // What React is for developers is larger, and slower: this run's NODE_ENV must not decide it.
    expect(files.join()).not.toContain('jsx-dev')
    expect(size).toBeLessThanOrEqual(200_000)
    for (const file of files) expect(readFileSync(path.join(folder, file), 'utf8')).not.toContain('cm-editor')
  })

  test('has a packed twin of every script and style', () => {
    const assets = readdirSync(path.join(folder, 'assets')).filter((name) => /\.(js|css)$/.test(name))
    expect(assets.length).toBeGreaterThan(0)
    for (const name of assets)
      for (const suffix of ['.br', '.gz'])
        expect(existsSync(path.join(folder, 'assets', name + suffix))).toBe(true)
  })
})

describe('the sources of the pages', () => {
  const sources = readdirSync(path.join(projectRoot, 'web/src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => [name, readFileSync(path.join(projectRoot, 'web/src', name), 'utf8')] as const)

  test('hand no HTML to the browser, and never build code from text', () => {
    const dangerous = /dangerouslySetInnerHTML|innerHTML|insertAdjacentHTML|\beval\(|new Function\(/
    expect(sources.filter(([, text]) => dangerous.test(text)).map(([name]) => name)).toEqual([])
  })

  test('keep nothing of a sign-in: no storage is named', () => {
    const storage = /localStorage|sessionStorage|document\.cookie/
    expect(sources.filter(([, text]) => storage.test(text)).map(([name]) => name)).toEqual([])
  })
})
