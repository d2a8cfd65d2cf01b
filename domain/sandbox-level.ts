import { z } from 'zod'

/**
 * How strongly scripts are walled off on this machine. `minimum` is what scripts that can block an approval need;
 * `block_refusal` says why they are refused, null: they are not.
 */
export const SandboxLevel = z
  .object({
    level: z.string(),
    minimum: z.string(),
    walls_standing: z.array(z.string()),
    walls_missing: z.array(z.string()),
    block_allowed: z.boolean(),
    block_refusal: z.string().nullable(),
  })
  .meta({ id: 'SandboxLevel' })
export type SandboxLevel = z.infer<typeof SandboxLevel>
