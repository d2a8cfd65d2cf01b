import { z } from 'zod'

import { GrantedMapping } from './access-request.ts'
import { CustomField } from './custom-fields.ts'
import { ApplicationId, IdentityId, TemplateId } from './ids.ts'

/** A template as somebody who wants access needs it: names in place of ids, and why it cannot be asked for now. */
export const CatalogueEntry = z
  .object({
    id: TemplateId,
    name: z.string(),
    description: z.string(),
    app_id: ApplicationId,
    app_name: z.string(),
    mappings: z.array(GrantedMapping),
    allowed_durations: z.array(z.int()).describe('Empty: any number of minutes up to max_duration_mins'),
    max_duration_mins: z.int(),
    require_justification: z.boolean(),
    auto_approve: z.boolean(),
    custom_fields: z.array(CustomField),
    approver_groups: z.array(z.string()).describe('Empty: the admins decide'),
    may_request: z.boolean().describe('The caller is allowed to ask for this'),
    subjects: z
      .array(
        z.object({
          id: IdentityId,
          display_name: z.string(),
          pending_request_id: z.string().nullable(),
        }),
      )
      .describe(
        'For whom the caller may ask, the caller first, each with its pending request for this template',
      ),
  })
  .meta({ id: 'CatalogueEntry' })
export type CatalogueEntry = z.infer<typeof CatalogueEntry>
