import { readFile } from 'node:fs/promises'

import { expect, it } from 'vitest'

import { compileScript } from '../../sandbox/compile.ts'
import { openSandbox } from './harness.ts'

const { run } = await openSandbox()

const source = await readFile(
  new URL('../../scripts/access_request_event_logger.ts', import.meta.url),
  'utf8',
)
const { code } = await compileScript(source)

const config = {
  trigger_event: 'approved',
  request_id: '0b0c7f3e-6a52-4c0e-9f0a-0d4b1a1f2c3d',
  request_status: 'approved',
  template_name: 'Database read-only access',
  app_name: 'Internal DB',
  requester_name: 'Alice Liddell',
  requester_email: 'alice@example.com',
  justification: 'Need access to debug the production incident.',
}

it('the event logger logs and returns the text of the documentation’s example', async () => {
  const text = [
    '=== access_request.approved ===',
    '  Request ID:      0b0c7f3e-6a52-4c0e-9f0a-0d4b1a1f2c3d',
    '  Status:          approved',
    '  Template:        Database read-only access',
    '  App:             Internal DB',
    '  Requester:       Alice Liddell (alice@example.com)',
    '  Justification:   Need access to debug the production incident.',
  ].join('\n')
  const { result, log, status } = await run(code, { config })
  expect(status).toBe('succeeded')
  expect(result).toBe(text)
  expect(log.map(({ level, text: logged }) => [level, logged])).toEqual([['info', text]])
})

it('the event logger leaves empty what the event does not carry', async () => {
  const { result } = await run(code, { config: { trigger_event: 'created' } })
  expect(result?.split('\n').slice(1)).toEqual([
    '  Request ID:      ',
    '  Status:          ',
    '  Template:        ',
    '  App:             ',
    '  Requester:        ()',
    '  Justification:   ',
  ])
})

it('the event logger keeps what the requester wrote, also where it looks like a log line', async () => {
  const justification = 'a\n=== access_request.denied ===\r\n  Status: denied – ü'
  const { result, log } = await run(code, { config: { ...config, justification } })
  expect(result?.endsWith(`  Justification:   ${justification}`)).toBe(true)
  expect(log).toHaveLength(1)
})
