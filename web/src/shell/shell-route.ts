import { createRootRoute, createRoute } from '@tanstack/react-router'

import { Shell } from './shell.tsx'

export const root = createRootRoute()

/** What is below it is for whoever is signed in. */
export const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell })
