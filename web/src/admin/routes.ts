import { createRoute } from '@tanstack/react-router'

import { shell } from '../shell/shell-route.ts'
import { lazyPage } from '../ui/lazy-page.ts'
import { guard } from './guard.tsx'

/** The members of an address's search that are texts, of those that the page knows. */
const texts =
  <Key extends string>(...keys: Key[]) =>
  (search: Record<string, unknown>): { [_ in Key]?: string } =>
    Object.fromEntries(
      keys.flatMap((key) =>
        typeof search[key] === 'string' && search[key] !== '' ? [[key, search[key]]] : [],
      ),
    ) as { [_ in Key]?: string }

const templates = createRoute({
  getParentRoute: () => shell,
  id: 'templates-manage',
  component: guard('templates.manage'),
})
const templatesPage = createRoute({
  getParentRoute: () => templates,
  path: '/templates',
  component: lazyPage(() => import('../pages/admin/templates/templates.tsx'), 'Templates'),
})
const newTemplatePage = createRoute({
  getParentRoute: () => templates,
  path: '/templates/new',
  component: lazyPage(() => import('../pages/admin/templates/new-template.tsx'), 'NewTemplate'),
})
const templatePage = createRoute({
  getParentRoute: () => templates,
  path: '/templates/$templateId',
  component: lazyPage(() => import('../pages/admin/templates/edit-template.tsx'), 'EditTemplate'),
})

const scripts = createRoute({
  getParentRoute: () => shell,
  id: 'scripts-manage',
  component: guard('scripts.manage'),
})
const scriptsPage = createRoute({
  getParentRoute: () => scripts,
  path: '/scripts',
  component: lazyPage(() => import('../pages/admin/scripts/scripts.tsx'), 'Scripts'),
})
const newScriptPage = createRoute({
  getParentRoute: () => scripts,
  path: '/scripts/new',
  component: lazyPage(() => import('../pages/admin/scripts/new-script.tsx'), 'NewScript'),
})
const scriptPage = createRoute({
  getParentRoute: () => scripts,
  path: '/scripts/$taskId',
  validateSearch: texts('part'),
  component: lazyPage(() => import('../pages/admin/scripts/edit-script.tsx'), 'EditScript'),
})
const integrationsPage = createRoute({
  getParentRoute: () => scripts,
  path: '/integrations',
  component: lazyPage(() => import('../pages/admin/scripts/integrations.tsx'), 'Integrations'),
})
const secretsPage = createRoute({
  getParentRoute: () => scripts,
  path: '/secrets',
  component: lazyPage(() => import('../pages/admin/secrets/secrets.tsx'), 'Secrets'),
})

const audit = createRoute({
  getParentRoute: () => shell,
  id: 'audit-read',
  component: guard('audit.read'),
})
const historyPage = createRoute({
  getParentRoute: () => audit,
  path: '/history',
  validateSearch: texts('status', 'template_id', 'requester', 'held_from', 'held_to'),
  component: lazyPage(() => import('../pages/admin/history/history.tsx'), 'History'),
})

const directory = createRoute({
  getParentRoute: () => shell,
  id: 'directory-manage',
  component: guard('directory.manage'),
})
const identitiesPage = createRoute({
  getParentRoute: () => directory,
  path: '/identities',
  component: lazyPage(() => import('../pages/admin/identities/identities.tsx'), 'Identities'),
})
const newIdentityPage = createRoute({
  getParentRoute: () => directory,
  path: '/identities/new',
  component: lazyPage(() => import('../pages/admin/identities/new-identity.tsx'), 'NewIdentity'),
})
const groupsPage = createRoute({
  getParentRoute: () => directory,
  path: '/groups',
  component: lazyPage(() => import('../pages/admin/groups/groups.tsx'), 'Groups'),
})
const newGroupPage = createRoute({
  getParentRoute: () => directory,
  path: '/groups/new',
  component: lazyPage(() => import('../pages/admin/groups/new-group.tsx'), 'NewGroup'),
})

const applications = createRoute({
  getParentRoute: () => shell,
  id: 'applications-manage',
  component: guard('applications.manage'),
})
const applicationsPage = createRoute({
  getParentRoute: () => applications,
  path: '/applications',
  component: lazyPage(() => import('../pages/admin/applications/applications.tsx'), 'Applications'),
})
const newApplicationPage = createRoute({
  getParentRoute: () => applications,
  path: '/applications/new',
  component: lazyPage(() => import('../pages/admin/applications/new-application.tsx'), 'NewApplication'),
})
const applicationPage = createRoute({
  getParentRoute: () => applications,
  path: '/applications/$applicationId',
  component: lazyPage(() => import('../pages/admin/applications/edit-application.tsx'), 'EditApplication'),
})

const everything = createRoute({
  getParentRoute: () => shell,
  id: 'manage',
  component: guard('access_requests.manage'),
})
const providersPage = createRoute({
  getParentRoute: () => everything,
  path: '/sign-in-providers',
  component: lazyPage(() => import('../pages/admin/providers/providers.tsx'), 'Providers'),
})
const newProviderPage = createRoute({
  getParentRoute: () => everything,
  path: '/sign-in-providers/new',
  component: lazyPage(() => import('../pages/admin/providers/new-provider.tsx'), 'NewProvider'),
})
const providerPage = createRoute({
  getParentRoute: () => everything,
  path: '/sign-in-providers/$providerId',
  component: lazyPage(() => import('../pages/admin/providers/edit-provider.tsx'), 'EditProvider'),
})
const signingKeysPage = createRoute({
  getParentRoute: () => everything,
  path: '/signing-keys',
  component: lazyPage(() => import('../pages/admin/signing-keys/signing-keys.tsx'), 'SigningKeys'),
})
const scimPage = createRoute({
  getParentRoute: () => everything,
  path: '/scim-tokens',
  component: lazyPage(() => import('../pages/admin/scim/scim-tokens.tsx'), 'ScimTokens'),
})

/** Owners look after their machines here, and everybody sees who is in a group. */
const identityPage = createRoute({
  getParentRoute: () => shell,
  path: '/identities/$identityId',
  component: lazyPage(() => import('../pages/admin/identities/edit-identity.tsx'), 'EditIdentity'),
})
const groupPage = createRoute({
  getParentRoute: () => shell,
  path: '/groups/$groupId',
  component: lazyPage(() => import('../pages/admin/groups/edit-group.tsx'), 'EditGroup'),
})
const accessTokensPage = createRoute({
  getParentRoute: () => shell,
  path: '/access-tokens',
  component: lazyPage(() => import('../pages/admin/access-tokens/access-tokens.tsx'), 'AccessTokens'),
})

/** The pages of whoever administers, by the permission that they need. */
export const adminRoutes = [
  templates.addChildren([templatesPage, newTemplatePage, templatePage]),
  scripts.addChildren([scriptsPage, newScriptPage, scriptPage, integrationsPage, secretsPage]),
  audit.addChildren([historyPage]),
  directory.addChildren([identitiesPage, newIdentityPage, groupsPage, newGroupPage]),
  applications.addChildren([applicationsPage, newApplicationPage, applicationPage]),
  everything.addChildren([providersPage, newProviderPage, providerPage, signingKeysPage, scimPage]),
  identityPage,
  groupPage,
  accessTokensPage,
] as const
