import { Button, Group, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'

import type { Me } from '../../../domain/directory.ts'
import { call } from '../api/call.ts'
import classes from './account-menu.module.css'

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
