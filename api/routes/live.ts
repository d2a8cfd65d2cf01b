import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { goesOn } from '../../db/sign-in/sessions.ts'
import { DomainError } from '../../domain/errors.ts'
import { findSessionCookie } from '../auth/cookies.ts'
import { authenticate, identify } from '../authenticate.ts'
import { createEventStream } from '../live/event-stream.ts'
import { problems, router, security } from '../router.ts'
import type { Env } from '../router.ts'

const get = createRoute({
  method: 'get',
  path: '/events',
  tags: ['Access requests'],
  security,
  summary: 'What happens to the requests that the caller may see, as it happens',
  description:
    'Server-sent events: each `data` is `{"kind", "request_id"}`, what kind of thing happened to which request. ' +
    'Every 20 s an event `beat` without data: whoever hears nothing for longer is cut off and connects again. ' +
    'Nothing is repeated after a gap: whoever connects looks at everything anew. At most 8 streams per identity.',
  responses: {
    200: {
      description: 'A stream that goes on until either side ends it',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    ...problems(),
  },
})

const beatMs = 20_000

const nothing = () => Promise.resolve()

/**
 * Whether the caller is active and what it has shown still good. Watching is not using: it does not keep a session from
 * its end.
 */
async function isStillGood(c: Context<Env>): Promise<boolean> {
  const cookie = findSessionCookie(c)
  try {
    if (cookie !== undefined && !(await goesOn(c.get('deps').sql, cookie))) return false
    if (cookie === undefined) await authenticate(c, nothing)
    await identify(c, nothing)
    return true
  } catch {
    return false
  }
}

function open(c: Context<Env>): Response {
  const { live } = c.get('deps')
  const stream = createEventStream(() => {
    clearInterval(beating)
    leave?.()
  })
  const identity_id = c.get('caller').id
  const mayGoOn = () => isStillGood(c)
  const leave = live.watch({ identity_id, mayGoOn, tell: stream.tell, end: stream.end })
  const beat = async () => ((await mayGoOn()) ? stream.beat() : stream.end())
  const beating = setInterval(() => void beat(), beatMs)
  if (leave === undefined) {
    stream.end()
    throw new DomainError('rate_limited', 'You watch from 8 places already: close one of them.')
  }
  return c.body(stream.body, 200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx would keep events back until its buffer is full.
    'x-accel-buffering': 'no',
  })
}

export const live = router().openapi(get, (c) => open(c))
