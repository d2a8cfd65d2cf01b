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
    /** Of test runs only: the headers that the call has, secrets by name. */
    headers: z.record(z.string(), z.string()).optional(),
    /** Of test runs only: false where nothing left the product. */
    made: z.boolean().optional(),
  })
  .meta({ id: 'Call' })
export type Call = z.infer<typeof Call>
