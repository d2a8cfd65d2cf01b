import type { AccessRequest } from '../../../domain/access-request.ts'
import { ConfirmButton } from '../ui/confirm-button.tsx'
import { useAct } from './use-act.ts'

type Wording = { label: string; question: string; consequence: string; said: string }

function wordingFor({ status, subject_name }: AccessRequest, isMine: boolean): Wording {
  if (status === 'pending')
    return {
      label: 'Cancel request',
      question: 'Cancel this request?',
      consequence: 'Nobody will decide it any more. You can ask again at any time.',
      said: 'The request is cancelled.',
    }
  if (isMine)
    return {
      label: 'Give back',
      question: 'Give this access back?',
      consequence: 'The access ends at once, in new tokens too. You can ask again at any time.',
      said: 'The access has ended.',
    }
  return {
    label: 'Revoke access',
    question: `Revoke the access of ${subject_name}?`,
    consequence: 'The access ends at once, in new tokens too.',
    said: 'The access has ended.',
  }
}

/** Takes a pending request back, or ends a grant before its time. */
export function RevokeButton({
  request,
  isMine,
  size,
}: {
  request: AccessRequest
  isMine: boolean
  size?: 'xs' | 'sm'
}) {
  const { said, ...wording } = wordingFor(request, isMine)
  const revoke = useAct('revoke', request.id, said)
  return (
    <ConfirmButton
      {...wording}
      {...(size && { size })}
      commentLabel="Comment (optional)"
      danger
      isPending={revoke.isPending}
      error={revoke.error}
      onConfirm={(comment, close) => revoke.mutate(comment, { onSuccess: close })}
    />
  )
}
