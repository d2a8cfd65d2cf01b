import { z } from 'zod'

import { Instant } from './text.ts'

/** Seconds. No token of ours is meant to be believed for longer after it was signed. */
export const longestTokenLife = 3_600

/** `published`: to be known before it signs. `verifying`: its last tokens have not ended yet. */
export const signingKeyStates = ['published', 'signing', 'verifying', 'gone', 'removed'] as const

/** A key that signs tokens; never its private part. Only in the first three states is it in the JWKS. */
export const SigningKey = z
  .object({
    kid: z.string(),
    state: z.enum(signingKeyStates),
    source: z.enum(['generated', 'imported']),
    created_at: Instant,
    signs_from: Instant,
    stops_at: Instant.nullable(),
    removed_at: Instant.nullable(),
  })
  .meta({ id: 'SigningKey' })
export type SigningKey = z.infer<typeof SigningKey>

/** How often the signing key changes, and for how long the next one is shown before it signs. */
export type RotationPolicy = { rotation_days: number; overlap_seconds: number }
