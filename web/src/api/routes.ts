import type {
  AccessRequest,
  AccessRequestDetail,
  Command,
  DecisionInput,
  Message,
} from '../../../domain/access-request.ts'
import type { CatalogueEntry } from '../../../domain/catalogue.ts'
import type { Me } from '../../../domain/directory.ts'
import type { EarlierRequest, RequestRun } from '../../../domain/request-context.ts'
import type { AdminRoutes } from './admin-routes.ts'

export type Page<Item> = { data: Item[]; next_cursor: string | null }

/** The query of every list. */
export type PageQuery = { limit?: number; cursor?: string | undefined }

type Submission = {
  template_id: string
  requested_duration_mins: number
  justification: string
  custom_answers: Record<string, unknown>
  subject_id?: string
  ticket?: string
}

export type SignInOptions = {
  providers: { id: string; name: string }[]
  local: { email: string; display_name: string }[] | null
}

/** Every route that the pages call: what it takes, and what it answers. `test/web/routes.test.ts` holds it against the API. */
export type Routes = AdminRoutes & {
  'GET /auth/options': { answer: SignInOptions }
  'POST /auth/local': { body: { email: string }; answer: null }
  'POST /auth/link': { body: { code: string; email?: string; display_name?: string }; answer: null }
  'POST /auth/sign-out': { answer: null }

  'GET /me': { answer: Me }
  'GET /catalogue': { query: PageQuery; answer: Page<CatalogueEntry> }

  'GET /access-requests': { query: PageQuery & { status?: string | undefined }; answer: Page<AccessRequest> }
  'POST /access-requests': { body: Submission; answer: AccessRequest }
  'GET /access-requests/pending': { query: PageQuery; answer: Page<AccessRequest> }
  'GET /access-requests/{id}': { answer: AccessRequestDetail }
  'GET /access-requests/{id}/earlier': { query: PageQuery; answer: Page<EarlierRequest> }
  'GET /access-requests/{id}/runs': { query: PageQuery; answer: Page<RequestRun> }
  'GET /access-requests/{id}/messages': { query: PageQuery; answer: Page<Message> }
  'POST /access-requests/{id}/messages': { body: { body: string }; answer: Message }
  'POST /access-requests/{id}/approve': { body: DecisionInput; answer: AccessRequest | Command }
  'POST /access-requests/{id}/deny': { body: DecisionInput; answer: AccessRequest | Command }
  'POST /access-requests/{id}/revoke': { body: DecisionInput; answer: AccessRequest | Command }
}
