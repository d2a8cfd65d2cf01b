import { z } from 'zod'

/** Ids compare as text, so odd spellings become the usual one. */
const Uuid = z.uuid().toLowerCase()

export const IdentityId = Uuid.brand<'IdentityId'>()
export type IdentityId = z.infer<typeof IdentityId>

export const GroupId = Uuid.brand<'GroupId'>()
export type GroupId = z.infer<typeof GroupId>

export const ApplicationId = Uuid.brand<'ApplicationId'>()
export type ApplicationId = z.infer<typeof ApplicationId>

export const MappingId = Uuid.brand<'MappingId'>()
export type MappingId = z.infer<typeof MappingId>

export const TemplateId = Uuid.brand<'TemplateId'>()
export type TemplateId = z.infer<typeof TemplateId>

export const ScriptTaskId = Uuid.brand<'ScriptTaskId'>()
export type ScriptTaskId = z.infer<typeof ScriptTaskId>

export const AccessRequestId = Uuid.brand<'AccessRequestId'>()
export type AccessRequestId = z.infer<typeof AccessRequestId>

export const CommandId = Uuid.brand<'CommandId'>()
export type CommandId = z.infer<typeof CommandId>

export const RunId = Uuid.brand<'RunId'>()
export type RunId = z.infer<typeof RunId>
