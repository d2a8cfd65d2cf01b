import { Button, Group, Stack, Text, Textarea, Title } from '@mantine/core'
import { useEffect, useId, useRef, useState } from 'react'

import { BusyButton } from './busy-button.tsx'
import classes from './confirm-button.module.css'
import { Refusal } from './states.tsx'
import { useFocusLeft } from './use-focus-left.ts'

type ConfirmButtonProps = {
  /** What the button says, and the one that confirms. */
  label: string
  question: string
  /** What follows from it. */
  consequence: string
  /** The label of a comment that goes with it; absent: none is asked. */
  commentLabel?: string
  isPending: boolean
  error: unknown
  danger?: boolean
  size?: 'xs' | 'sm'
  onConfirm: (comment: string, close: () => void) => void
}

/** A button that asks once more, in a dialog of the browser's own: it takes the focus, Escape leaves it. */
export function ConfirmButton(props: ConfirmButtonProps) {
  const [isOpen, setOpen] = useState(false)
  const button = useFocusLeft<HTMLButtonElement>()
  return (
    <>
      <Button ref={button} variant="default" size={props.size ?? 'sm'} onClick={() => setOpen(true)}>
        {props.label}
      </Button>
      {isOpen && <Confirmation {...props} onClose={() => setOpen(false)} />}
    </>
  )
}

function Confirmation({ onClose, ...props }: ConfirmButtonProps & { onClose: () => void }) {
  const { label, question, consequence, commentLabel, isPending, error, danger = false } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const [comment, setComment] = useState('')
  const title = useId()
  const close = () => dialog.current?.close()
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby={title} className={classes.dialog} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          props.onConfirm(comment, close)
        }}
      >
        <Stack gap="md">
          <Title order={2} size="h4" id={title}>
            {question}
          </Title>
          <Text>{consequence}</Text>
          {commentLabel !== undefined && (
            <Textarea
              label={commentLabel}
              rows={3}
              value={comment}
              onChange={({ currentTarget }) => setComment(currentTarget.value)}
            />
          )}
          {error !== null && <Refusal error={error} />}
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={close}>
              Leave it
            </Button>
            <BusyButton type="submit" loading={isPending} {...(danger && { color: 'red' })}>
              {label}
            </BusyButton>
          </Group>
        </Stack>
      </form>
    </dialog>
  )
}
