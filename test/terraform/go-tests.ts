import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { goEnvironment, moduleFolder } from '../../bin/testing/terraform-provider.ts'

type Event = { Action: string; Package: string; Test?: string; Output?: string }

/** The Go tests by name, read from their files: they are named here also where there is no Go to run them. */
const names = globSync('internal/**/*_test.go', { cwd: moduleFolder }).flatMap((file) =>
  [...readFileSync(path.join(moduleFolder, file), 'utf8').matchAll(/^func (Test\w+)\(/gm)].map(
    ([, name = '']) => `${path.dirname(file)} ${name}`,
  ),
)

function execute(program: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const options = { cwd: moduleFolder, env: goEnvironment(), maxBuffer: 64 << 20 }
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) =>
      resolve({ code: error ? 1 : 0, output: stdout + stderr }),
    )
  })
}

function parseEvent(line: string): Event[] {
  try {
    return [JSON.parse(line) as Event]
  } catch {
    return []
  }
}

const nameOf = ({ Package, Test = '' }: Event) =>
  `${Package.split('/')
    .slice(1)
    .join('/')
    .replace(/^terraform-provider-justiam\//, '')} ${Test}`

/** Each Go test as a test of its own. */
export function describeGoTests(timeout: number): void {
  describe('its parts, in Go', () => {
    let events: Event[] = []
    let output = ''

    beforeAll(async () => {
      ;({ output } = await execute('go', 'test', '-json', './...'))
      events = output.split('\n').flatMap(parseEvent)
    }, timeout)

    test.each(names)('%s', (name) => {
      const said = events.filter((event) => nameOf(event) === name)
      const text = said.map((event) => event.Output ?? '').join('')
      expect([said.at(-1)?.Action, text === '' ? output : text]).toEqual(['pass', text])
    })

    test('are formatted and vetted', async () => {
      expect(await execute('go', 'vet', './...')).toEqual({ code: 0, output: '' })
      expect(await execute('gofmt', '-l', '.')).toEqual({ code: 0, output: '' })
    })
  })
}
