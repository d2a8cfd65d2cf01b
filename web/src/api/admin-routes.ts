import type { z } from 'zod'

import type { AccessRequest } from '../../../domain/access-request.ts'
import type { Credential, CredentialInput, NewCredential } from '../../../domain/credential.ts'
import type { ShownDelivery } from '../../../domain/delivery.ts'
import type {
  Application,
  ApplicationInput,
  AppMapping,
  AppMappingInput,
  EligibleApprover,
  Group,
  GroupInput,
  Identity,
  IdentityInput,
  IdentityPatch,
  Membership,
} from '../../../domain/directory.ts'
import type {
  NewPersonalAccessToken,
  PersonalAccessToken,
  PersonalAccessTokenInput,
} from '../../../domain/personal-access-token.ts'
import type { NewScimToken, ScimLink, ScimToken, ScimTokenInput } from '../../../domain/scim.ts'
import type { Run, ScriptTask, ScriptTaskDiff, ScriptTaskVersion } from '../../../domain/script-task.ts'
import type { ScriptReplay } from '../../../domain/script-test.ts'
import type { Secret, SecretInput } from '../../../domain/secret.ts'
import type { SignInProvider, SignInProviderInput } from '../../../domain/sign-in-provider.ts'
import type { SigningKey } from '../../../domain/signing-key.ts'
import type { Template, TemplateInput } from '../../../domain/template.ts'

type Page<Item> = { data: Item[]; next_cursor: string | null }
type PageQuery = { limit?: number; cursor?: string | undefined }
type List<Item> = { query: PageQuery; answer: Page<Item> }
type Gone = { answer: null }
type Optional = string | undefined

/** Settings of a script task, as they are sent. */
export type ScriptTaskFields = Omit<
  ScriptTask,
  'id' | 'version' | 'disabled_reason' | 'created_at' | 'updated_at'
>

/** What a script is tried on. */
export type TestInput = {
  event?: Record<string, string>
  request_id?: string
  sample?: string
  make_calls?: boolean
}

/** Every route that the pages of admins call. */
export type AdminRoutes = {
  'GET /access-requests/all': {
    query: PageQuery & {
      status?: Optional
      template_id?: Optional
      requester?: Optional
      held_from?: Optional
      held_until?: Optional
    }
    answer: Page<AccessRequest>
  }

  'GET /access-request-templates': List<Template>
  'POST /access-request-templates': { body: z.input<typeof TemplateInput>; answer: Template }
  'GET /access-request-templates/{id}': { answer: Template }
  'PUT /access-request-templates/{id}': { body: z.input<typeof TemplateInput>; answer: Template }
  'DELETE /access-request-templates/{id}': Gone
  'GET /eligible-approvers': { query: PageQuery & { group_ids: string }; answer: Page<EligibleApprover> }

  'GET /scheduled-tasks': List<ScriptTask>
  'POST /scheduled-tasks': { body: ScriptTaskFields; answer: ScriptTask }
  'POST /scheduled-tasks/test': { body: ScriptTaskFields & TestInput; answer: Run }
  'GET /scheduled-tasks/{id}': { answer: ScriptTask }
  'PUT /scheduled-tasks/{id}': { body: ScriptTaskFields; answer: ScriptTask }
  'DELETE /scheduled-tasks/{id}': Gone
  'POST /scheduled-tasks/{id}/run': { body: { request_id?: string }; answer: Run }
  'GET /scheduled-tasks/{id}/runs': List<Run>
  'POST /scheduled-tasks/{id}/runs/{run_id}/replay': { body: { script?: string }; answer: ScriptReplay }
  'GET /scheduled-tasks/{id}/deliveries': List<ShownDelivery>
  'GET /scheduled-tasks/{id}/versions': List<ScriptTaskVersion>
  'GET /scheduled-tasks/{id}/versions/{version}': { answer: ScriptTaskVersion }
  'GET /scheduled-tasks/{id}/versions/{version}/diff': { query: { against?: number }; answer: ScriptTaskDiff }
  'POST /scheduled-tasks/{id}/versions/{version}/revert': { answer: ScriptTask }

  'GET /secrets': List<Secret>
  'PUT /secrets/{name}': { body: SecretInput; answer: Secret }
  'DELETE /secrets/{name}': Gone

  'GET /identities': List<Identity>
  'POST /identities': { body: z.input<typeof IdentityInput>; answer: Identity }
  'GET /identities/{id}': { answer: Identity }
  'PATCH /identities/{id}': { body: z.input<typeof IdentityPatch>; answer: Identity }
  'GET /identities/{id}/credentials': List<Credential>
  'POST /identities/{id}/credentials': {
    body: z.input<typeof CredentialInput>
    answer: z.infer<typeof NewCredential>
  }
  'DELETE /identities/{id}/credentials/{credential_id}': Gone

  'GET /groups': List<Group>
  'POST /groups': { body: z.input<typeof GroupInput>; answer: Group }
  'GET /groups/{id}': { answer: Group }
  'PUT /groups/{id}': { body: z.input<typeof GroupInput>; answer: Group }
  'DELETE /groups/{id}': Gone
  'GET /groups/{id}/members': List<Membership>
  'PUT /groups/{id}/members/{identity_id}': { body: { expires_at: string | null }; answer: null }
  'DELETE /groups/{id}/members/{identity_id}': Gone
  'PUT /groups/{id}/mappings/{mapping_id}': { answer: null }
  'DELETE /groups/{id}/mappings/{mapping_id}': Gone

  'GET /applications': List<Application>
  'POST /applications': { body: z.input<typeof ApplicationInput>; answer: Application }
  'GET /applications/{id}': { answer: Application }
  'PUT /applications/{id}': { body: z.input<typeof ApplicationInput>; answer: Application }
  'DELETE /applications/{id}': Gone
  'GET /applications/{id}/mappings': List<AppMapping>
  'POST /applications/{id}/mappings': { body: z.input<typeof AppMappingInput>; answer: AppMapping }
  'GET /app-mappings/{id}': { answer: AppMapping }
  'PUT /app-mappings/{id}': { body: z.input<typeof AppMappingInput>; answer: AppMapping }
  'DELETE /app-mappings/{id}': Gone

  'GET /sign-in-providers': List<SignInProvider>
  'POST /sign-in-providers': { body: z.input<typeof SignInProviderInput>; answer: SignInProvider }
  'GET /sign-in-providers/{id}': { answer: SignInProvider }
  'PUT /sign-in-providers/{id}': { body: z.input<typeof SignInProviderInput>; answer: SignInProvider }
  'DELETE /sign-in-providers/{id}': Gone
  'GET /signing-keys': List<SigningKey>
  'POST /signing-keys/rotate': { answer: SigningKey }
  'DELETE /signing-keys/{kid}': Gone
  'GET /scim-tokens': List<ScimToken>
  'POST /scim-tokens': { body: z.input<typeof ScimTokenInput>; answer: NewScimToken }
  'DELETE /scim-tokens/{id}': Gone
  'GET /scim-groups': List<ScimLink>
  'PUT /scim-groups/{id}': { answer: null }
  'DELETE /scim-groups/{id}': Gone

  'GET /personal-access-tokens': List<PersonalAccessToken>
  'POST /personal-access-tokens': {
    body: z.input<typeof PersonalAccessTokenInput>
    answer: NewPersonalAccessToken
  }
  'DELETE /personal-access-tokens/{id}': Gone
}
