import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'

import { send } from '../api/call.ts'
import { refresh } from '../live/refresh.ts'

export type Act = 'approve' | 'deny' | 'revoke'

const done: Record<Act, string> = {
  approve: 'Approved.',
  deny: 'Denied.',
  revoke: 'Ended.',
}

/**
 * Approves, denies or revokes. What the engine cannot do at once it does later: that is said too. `onDone` is told even
 * where the news was faster than the answer, and what asked for it is gone from the page.
 */
export function useAct(act: Act, request_id: string, said = done[act], onDone = () => {}) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (comment: string) =>
      send(`POST /access-requests/{id}/${act}`, {
        params: { id: request_id },
        body: comment.trim() === '' ? {} : { comment },
      }),
    onSuccess: ({ status }) => {
      const message =
        status === 202 ? 'Accepted: it will be carried out as soon as the engine answers.' : said
      notifications.show({ message })
      onDone()
    },
    onSettled: () => refresh(client, [{ kind: act, request_id }]),
  })
}
