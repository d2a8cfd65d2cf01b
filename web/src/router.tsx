import { createRoute, createRouter, redirect } from '@tanstack/react-router'

import { adminRoutes } from './admin/routes.ts'
import { NotFound } from './shell/not-found.tsx'
import { PageFailed } from './shell/shell.tsx'
import { parseSearch, stringifySearch } from './shell/search.ts'
import { root, shell } from './shell/shell-route.ts'
import { lazyPage } from './ui/lazy-page.ts'
import { Loading } from './ui/states.tsx'

/** The first admin's one-time link, before there is anybody to sign in. */
const welcome = createRoute({
  getParentRoute: () => root,
  path: '/welcome',
  component: lazyPage(() => import('./pages/sign-in/welcome.tsx'), 'Welcome'),
})
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: ({ error }: Record<string, unknown>) => (typeof error === 'string' ? { error } : {}),
  component: lazyPage(() => import('./pages/sign-in/sign-in-page.tsx'), 'SignInPage'),
})

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/request-access', replace: true })
  },
})
const requestAccess = createRoute({
  getParentRoute: () => shell,
  path: '/request-access',
  validateSearch: ({ q }: Record<string, unknown>) => (typeof q === 'string' && q !== '' ? { q } : {}),
  component: lazyPage(() => import('./pages/request-access/catalogue.tsx'), 'Catalogue'),
})
const requestForm = createRoute({
  getParentRoute: () => shell,
  path: '/request-access/$templateId',
  validateSearch: ({ again }: Record<string, unknown>) => (typeof again === 'string' ? { again } : {}),
  component: lazyPage(() => import('./pages/request-access/request-form.tsx'), 'RequestForm'),
})
const myRequests = createRoute({
  getParentRoute: () => shell,
  path: '/my-requests',
  validateSearch: ({ status }: Record<string, unknown>) => (typeof status === 'string' ? { status } : {}),
  component: lazyPage(() => import('./pages/my-requests/my-requests.tsx'), 'MyRequests'),
})
const approvals = createRoute({
  getParentRoute: () => shell,
  path: '/approvals',
  component: lazyPage(() => import('./pages/approvals/approvals.tsx'), 'Approvals'),
})
const approval = createRoute({
  getParentRoute: () => approvals,
  path: '$requestId',
})
const requestDetail = createRoute({
  getParentRoute: () => shell,
  path: '/requests/$requestId',
  component: lazyPage(() => import('./pages/request-detail/request-detail.tsx'), 'RequestDetail'),
})

/** Whatever else somebody opens. */
const nothing = createRoute({ getParentRoute: () => shell, path: '$', component: NotFound })

/** A page is a route here, and where people should find it, an area in `shell/areas.ts`. */
const routeTree = root.addChildren([
  welcome,
  signIn,
  shell.addChildren([
    home,
    requestAccess,
    requestForm,
    myRequests,
    approvals.addChildren([approval]),
    requestDetail,
    ...adminRoutes,
    nothing,
  ]),
])

export const router = createRouter({
  routeTree,
  defaultErrorComponent: PageFailed,
  defaultPendingComponent: () => <Loading />,
  defaultPreload: 'intent',
  parseSearch,
  stringifySearch,
  // What a page does not know of a search, it does not get.
  search: { strict: true },
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
