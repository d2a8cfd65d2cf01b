import { describe, expect, test } from 'vitest'

import { lastsUntil, saidWith, sentenceOf } from '../../web/src/pages/request-detail/entries.ts'

const entry = (kind: string, detail: Record<string, unknown> = {}, actor_email: string | null = null) => ({
  at: '2026-11-23T09:00:00.000Z',
  kind,
  actor_id: null,
  actor_email,
  detail,
})
const alice = 'alice@example.com'
const told = (...notified_approvers: string[]) => ({ notified_approvers })

describe('a line of the timeline', () => {
  test.each([
    [entry('submitted', told('bob@x', 'dana@x'), alice), `Submitted by ${alice}; told: bob@x and dana@x`],
    [entry('submitted', told(), alice), `Submitted by ${alice}; nobody was told`],
    [entry('escalated', told('carol@x')), 'Escalated: more people may decide now; told: carol@x'],
    [entry('escalated', told()), 'Escalated: more people may decide now; nobody new was told'],
    [entry('approved', { decided_by: 'auto' }), 'Approved automatically'],
    [entry('revoked', { cancelled: true }, alice), `Cancelled by ${alice}`],
    [entry('expired'), 'The access ran out'],
  ])('%# says who did what, and who was told', (line, sentence) => {
    expect(sentenceOf(line)).toBe(sentence)
  })

  test.each([
    ['identity_disabled', 'Revoked: the identity was disabled'],
    ['identity_expired', 'Revoked: the identity came to its end'],
    ['identity_inactive', 'Revoked: the identity is disabled, or came to its end'],
  ])('says %s in words, and shows nobody the code', (reason, sentence) => {
    const line = entry('revoked', { cancelled: false, comment: null, reason })
    expect([sentenceOf(line), saidWith(line)]).toEqual([sentence, undefined])
  })

  test('quotes what somebody wrote, whatever it is', () => {
    expect(saidWith(entry('denied', { comment: 'identity_disabled' }))).toBe('identity_disabled')
    expect(saidWith(entry('approval_blocked', { reason: 'constructor' }))).toBe('constructor')
    expect(saidWith(entry('expired', { comment: '', reason: null }))).toBeUndefined()
  })

  test('says until when an access and a token last, and of nothing else that it does', () => {
    const until = '2026-11-23T10:00:00.000Z'
    expect(lastsUntil(entry('approved', { expires_at: until }))?.at).toBe(until)
    expect(lastsUntil(entry('token.issued', { exp: Date.parse(until) / 1_000 }))?.at).toBe(until)
    for (const kind of ['submitted', 'denied', 'revoked', 'expired'])
      expect(lastsUntil(entry(kind, { expires_at: until, exp: 1 }))).toBeUndefined()
  })
})
