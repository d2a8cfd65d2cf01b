import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'

import type { ScriptTask } from '../../../../../domain/script-task.ts'
import { call } from '../../../api/call.ts'
import { ConfirmButton } from '../../../ui/confirm-button.tsx'

type RevertProps = { task: ScriptTask; version: number; onReverted: () => void }

/** Goes back to a version, by a new one that equals it. */
export function Revert({ task, version, onReverted }: RevertProps) {
  const client = useQueryClient()
  const revert = useMutation({
    mutationFn: () =>
      call('POST /scheduled-tasks/{id}/versions/{version}/revert', {
        params: { id: task.id, version: String(version) },
      }),
    onSuccess: async () => {
      notifications.show({ message: `Version ${version} is in use again, as a new version.` })
      await client.invalidateQueries({ queryKey: ['scripts'] })
      onReverted()
    },
  })
  return (
    <ConfirmButton
      label={`Go back to version ${version}`}
      question={`Go back to version ${version}?`}
      consequence="It is saved as a new version, and runs from the next event on. Nothing is lost: you can come back the same way."
      size="xs"
      isPending={revert.isPending}
      error={revert.error}
      onConfirm={(_, close) => revert.mutate(undefined, { onSuccess: close })}
    />
  )
}
