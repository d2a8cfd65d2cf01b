import { z } from 'zod'

import { EgressHosts } from './egress-host.ts'
import { Instant, Text } from './text.ts'

/** As scripts spell it: `secrets.get("SLACK_WEBHOOK")`. */
export const SecretName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,99}$/, 'must be letters, digits and underscores, a letter first')

/**
 * What an admin sends to create or replace a secret. The value comes every time: who may not know it may not send it
 * to another host either. Less than four characters could not be masked without masking half of every text.
 */
export const SecretInput = z
  .strictObject({ value: Text(32_768).min(4), hosts: EgressHosts })
  .meta({ id: 'SecretInput' })
export type SecretInput = z.infer<typeof SecretInput>

/** What is told of a secret: never its value. `hosts` are those that it may be sent to. */
export const Secret = z
  .object({ name: SecretName, hosts: z.array(z.string()), created_at: Instant, updated_at: Instant })
  .meta({ id: 'Secret' })
export type Secret = z.infer<typeof Secret>
