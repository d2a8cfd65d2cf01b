import { PasswordInput } from '@mantine/core'

import classes from './secret-input.module.css'

type SecretInputProps = {
  label: string
  description?: string
  required?: boolean
  value: string
  error: string | undefined
  onChange: (value: string) => void
}

/** What is kept and never shown again; whoever types it can look at it. */
export function SecretInput({ error, onChange, ...props }: SecretInputProps) {
  return (
    <PasswordInput
      {...props}
      classNames={{ input: classes.input }}
      autoComplete="new-password"
      visibilityToggleButtonProps={{ 'aria-label': 'Show what I typed' }}
      error={error}
      aria-invalid={error !== undefined}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
    />
  )
}
