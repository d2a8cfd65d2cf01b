import { z } from 'zod'

/** One http call of a run. `host` and `path` are as the script wrote them, secrets by name; bodies are not kept. */
export const Call = z
  .object({
    method: z.string(),
    host: z.string().nullable(),
    path: z.string().nullable(),
    status: z.int().nullable(),
    ms: z.int().nullable(),
    bytes_sent: z.int(),
    bytes_received: z.int(),
    error: z.string().nullable(),
  })
  .meta({ id: 'Call' })
export type Call = z.infer<typeof Call>
