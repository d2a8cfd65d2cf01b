import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, onTestFinished, test } from 'vitest'

import { projectRoot } from '../../bin/config.ts'
import { birthOf } from '../../bin/setup/process-identity.mjs'

const oneLine = /^ {2}set-up failed: .+\n$/m

/** A checkout with nothing installed, whose lockfile names no packages; outside of ours, whose modules it would find. */
function newCheckout(): string {
  const root = mkdtempSync(path.join(tmpdir(), 'hallpass check out '))
  onTestFinished(() => rmSync(root, { recursive: true }))
  cpSync(path.join(projectRoot, 'bin', 'setup'), path.join(root, 'bin', 'setup'), { recursive: true })
  cpSync(path.join(projectRoot, 'bin', 'setup.mjs'), path.join(root, 'bin', 'setup.mjs'))
  for (const folder of [root, path.join(root, 'runtime')]) {
    mkdirSync(folder, { recursive: true })
    writeJson(path.join(folder, 'package.json'), { name: 'empty', version: '1.0.0' })
    const lock = { name: 'empty', version: '1.0.0', lockfileVersion: 3, packages: {} }
    writeJson(path.join(folder, 'package-lock.json'), lock)
    mkdirSync(path.join(folder, 'node_modules'))
  }
  return root
}

function writeJson(file: string, value: object): void {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(value))
}

const command = (root: string) => [path.join(root, 'bin', 'setup.mjs')]

function setUp(root: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, command(root), { encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('the set-up', () => {
  test('does nothing and says nothing where all is in place', () => {
    expect(setUp(projectRoot)).toEqual({ status: 0, stdout: '', stderr: '' })
  })

  test('refuses packages whose native modules do not load, and says so in one line on stderr', () => {
    const root = newCheckout()
    const { status, stdout, stderr } = setUp(root)
    expect(status).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(oneLine)
    expect(stderr).toContain('the native modules do not load')
    expect(existsSync(path.join(root, 'node_modules', '.bin', 'node'))).toBe(false)
    expect(existsSync(path.join(root, '.data', 'setup.lock'))).toBe(false)
  })

  test('refuses a lockfile that does not fit, with what to do', () => {
    const root = newCheckout()
    writeJson(path.join(root, 'package.json'), {
      name: 'empty',
      version: '1.0.0',
      dependencies: { zod: '4.6.7' },
    })
    const { status, stderr } = setUp(root)
    expect(status).toBe(1)
    expect(stderr).toMatch(/set-up failed: dependencies: npm ci ended with 1; .*message above/)
  })

  test('does not empty node_modules under a product that runs', () => {
    const root = newCheckout()
    writeJson(path.join(root, '.data', 'run.json'), { pid: process.pid, born: birthOf(process.pid) })
    expect(setUp(root).stderr).toContain(`stop the running product (process ${process.pid}) first`)
  })

  test('is not kept from its work by a product that was killed', () => {
    const root = newCheckout()
    writeJson(path.join(root, '.data', 'run.json'), { pid: process.pid, born: 'long ago' })
    expect(setUp(root).stderr).not.toContain('stop the running product')
  })

  test('waits for another set-up in the same checkout, and not for one that was killed', async () => {
    const root = newCheckout()
    const lock = path.join(root, '.data', 'setup.lock')
    writeJson(path.join(lock, 'holders.json'), [{ pid: process.pid, born: birthOf(process.pid) }])
    const child = spawn(process.execPath, command(root), { stdio: ['ignore', 'ignore', 'pipe'] })
    const [line] = await once(child.stderr, 'data')
    expect(String(line)).toContain('another set-up is running in this folder')
    await sleep(600)
    expect(child.exitCode).toBeNull()
    writeJson(path.join(lock, 'holders.json'), [{ pid: process.pid, born: 'long ago' }])
    await once(child, 'exit')
    expect(existsSync(lock)).toBe(false)
  })
})
