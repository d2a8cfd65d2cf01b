import { z } from 'zod'

import { AccessRequestId } from './ids.ts'
import { integrationEvents } from './lifecycle.ts'
import { Instant } from './text.ts'

export const deliveryStates = ['waiting', 'started', 'succeeded', 'failed', 'skipped'] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** One event on its way to one script task, as the API shows it. `attempts` counts the runs. */
export const ShownDelivery = z
  .object({
    id: z.string(),
    event_id: z.string(),
    event_type: z.enum(integrationEvents),
    request_id: AccessRequestId,
    state: z.enum(deliveryStates),
    attempts: z.int(),
    created_at: Instant,
    finished_at: Instant.nullable(),
  })
  .meta({ id: 'Delivery' })
export type ShownDelivery = z.infer<typeof ShownDelivery>
