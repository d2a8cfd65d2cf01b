import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'

import { ConfirmButton } from '../ui/confirm-button.tsx'

type DeleteButtonProps = {
  label?: string
  question: string
  consequence: string
  said: string
  remove: () => Promise<unknown>
  /** The first part of the query keys that this makes old. */
  keys: string[]
  onDeleted?: () => void
  size?: 'xs' | 'sm'
}

/** Takes something away after one more question; a refusal is told in the dialog. */
export function DeleteButton(props: DeleteButtonProps) {
  const { label = 'Delete', question, consequence, said, remove, keys, onDeleted, size } = props
  const client = useQueryClient()
  const deletion = useMutation({
    mutationFn: remove,
    onSuccess: () => {
      notifications.show({ message: said })
      onDeleted?.()
      for (const key of keys) void client.invalidateQueries({ queryKey: [key] })
    },
  })
  return (
    <ConfirmButton
      label={label}
      question={question}
      consequence={consequence}
      danger
      {...(size && { size })}
      isPending={deletion.isPending}
      error={deletion.error}
      onConfirm={(_, close) => deletion.mutate(undefined, { onSuccess: close })}
    />
  )
}
