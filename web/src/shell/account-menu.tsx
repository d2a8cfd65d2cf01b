import { Button, Group, Text, useMantineColorScheme } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'

import type { Me } from '../../../domain/directory.ts'
import { call } from '../api/call.ts'
import classes from './account-menu.module.css'

/** Light or dark, kept in this browser. */
function SchemeButton() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const isDark =
    colorScheme === 'dark' || (colorScheme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-sm"
      c="inherit"
      onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
    >
      {isDark ? 'Light mode' : 'Dark mode'}
    </Button>
  )
}

/** Who is signed in, and the way out. */
export function AccountMenu({ me }: { me: Me }) {
  const client = useQueryClient()
  const signOut = useMutation({
    mutationFn: () => call('POST /auth/sign-out', {}),
    onSuccess: () => {
      client.clear()
      location.assign('/')
    },
  })
  return (
    <Group gap="xs" wrap="nowrap">
      <SchemeButton />
      <Text size="sm" truncate className={classes.name} title={me.email}>
        {me.display_name}
      </Text>
      <Button
        variant="default"
        size="compact-sm"
        loading={signOut.isPending}
        onClick={() => signOut.mutate()}
      >
        Sign out
      </Button>
    </Group>
  )
}
