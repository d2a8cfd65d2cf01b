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

const digest = await readFile(new URL('../../scripts/weekly_digest.ts', import.meta.url), 'utf8')
const { code: digestCode } = await compileScript(digest)

it('the weekly digest lists open access by application', async () => {
  const grant = (app_name: string, subject_name: string) => ({
    app_name,
    subject_name,
    template_name: 'Read-only',
    expires_at: '2026-11-23T17:30:00Z',
  })
  const open_grants = JSON.stringify([
    grant('Wiki', 'Bob'),
    grant('Internal DB', 'Alice'),
    grant('Wiki', 'Zoë'),
  ])
  const facts = { scheduled_at: '2026-11-23T09:00:00.000Z', open_grants, open_grants_total: '5' }
  const { result, log, status } = await run(digestCode, { config: facts })
  expect(status).toBe('succeeded')
  expect(result?.split('\n')).toEqual([
    'Open access on 2026-11-23: 5',
    'Internal DB:',
    '  Alice until 2026-11-23 17:30 UTC (Read-only)',
    'Wiki:',
    '  Bob until 2026-11-23 17:30 UTC (Read-only)',
    '  Zoë until 2026-11-23 17:30 UTC (Read-only)',
    'and 2 more',
  ])
  expect(log.map(({ text }) => text)).toEqual([result])
})

it('the weekly digest of nothing is one line', async () => {
  const { result } = await run(digestCode, { config: { open_grants: '[]', open_grants_total: '0' } })
  expect(result).toBe('Open access on : 0')
})
