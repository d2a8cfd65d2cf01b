import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './ui/base.css'
import './shell/readable-address.ts'

import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { queryClient } from './api/query-client.ts'
import { router } from './router.tsx'
import { readableColors, theme } from './ui/theme.ts'
import { styleNonce } from './ui/style-nonce.ts'

const place = document.getElementById('root')
if (place === null) throw new Error('the page has no #root')

createRoot(place).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={readableColors}
      defaultColorScheme="auto"
      getStyleNonce={() => styleNonce}
    >
      <Notifications position="bottom-right" />
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
