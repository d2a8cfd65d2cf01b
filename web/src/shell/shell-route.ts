import { createRootRoute, createRoute } from '@tanstack/react-router'

import { NotFound } from './not-found.tsx'
import { Shell } from './shell.tsx'

export const root = createRootRoute({ notFoundComponent: NotFound })

/** What is below it is for whoever is signed in. */
export const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell })
