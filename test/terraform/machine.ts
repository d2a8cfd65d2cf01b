import { expect } from 'vitest'

import type { Stage } from './stage.ts'

/** A client secret of the demo organisation's machine, which `group` lets manage. */
export async function issueClientSecret(
  { admin, product }: Stage,
  group: string,
): Promise<{ HALLPASS_CLIENT_ID: string; HALLPASS_CLIENT_SECRET: string }> {
  const { id } = await product.as('ci-bot')
  const permissions = ['access_requests.manage']
  const { body: made } = await admin.call<{ id: string }>('POST', '/groups', { name: group, permissions })
  await admin.call('PUT', `/groups/${made.id}/members/${id}`)
  const { status, body } = await admin.call<{ client_id: string; client_secret: string }>(
    'POST',
    `/identities/${id}/credentials`,
    { type: 'client_secret' },
  )
  expect(status).toBe(201)
  return { HALLPASS_CLIENT_ID: body.client_id, HALLPASS_CLIENT_SECRET: body.client_secret }
}
