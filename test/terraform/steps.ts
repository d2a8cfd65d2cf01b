import { expect } from 'vitest'

import type { Caller } from '../setup/product.ts'
import type { Changes, Diagnostic, Outcome, Workspace } from './workspace.ts'

export const nothing: Changes = { add: 0, change: 0, import: 0, remove: 0 }

/** @throws with what Terraform said, where it did not do it. */
export function done(outcome: Outcome, codes: number[] = [0]): Outcome {
  if (!codes.includes(outcome.code)) throw new Error(outcome.output)
  return outcome
}

export const expectNoChange = async (workspace: Workspace): Promise<void> =>
  expect(done(await workspace.plan(), [0, 2])).toMatchObject({ code: 0, changes: nothing })

/** What went wrong: the resource, the line of the configuration and the words, as one line each. */
export const errorsOf = ({ diagnostics }: Outcome): string[] => linesOf(diagnostics, 'error')
export const warningsOf = ({ diagnostics }: Outcome): string[] => linesOf(diagnostics, 'warning')

const linesOf = (diagnostics: Diagnostic[], wanted: Diagnostic['severity']): string[] =>
  diagnostics
    .filter(({ severity }) => severity === wanted)
    .map(({ address = '', summary, detail, snippet }) =>
      [address, snippet?.code.trim() ?? '', summary, detail].join(' | ').replaceAll(/\s+/g, ' '),
    )

export type Resource = { address: string; values: Record<string, unknown> }

type State = {
  resources: {
    mode: string
    type: string
    name: string
    instances: { attributes: Record<string, unknown> }[]
  }[]
}

/** What Terraform manages, by the state on the disk. */
export function resourcesOf(workspace: Workspace): Resource[] {
  const { resources } = JSON.parse(workspace.state()) as State
  return resources
    .filter(({ mode }) => mode === 'managed')
    .flatMap(({ type, name, instances }) =>
      instances.map(({ attributes }) => ({ address: `${type}.${name}`, values: attributes })),
    )
}

export const idOf = (workspace: Workspace, address: string): string =>
  String(resourcesOf(workspace).find((resource) => resource.address === address)?.values['id'])

/** Has Terraform forget what it manages; the product keeps it. */
export const forget = async (workspace: Workspace, resources: Resource[]): Promise<Outcome> =>
  done(await workspace.run('state', 'rm', ...resources.map(({ address }) => address)))

/** What only the server says of an object. */
const facts = [
  'id',
  'created_at',
  'updated_at',
  'version',
  'disabled_reason',
  'kind',
  'mapping_ids',
  'expires_at',
]

/** Changes members of a group or script task as somebody would by the API; of a template by naming what to leave out. */
export async function editByHand(
  admin: Caller,
  item: string,
  changes: Record<string, unknown>,
  readOnly = facts,
): Promise<void> {
  const { body } = await admin.call('GET', item)
  const kept = Object.entries(body).filter(([name]) => !readOnly.includes(name))
  const answer = await admin.call('PUT', item, { ...Object.fromEntries(kept), ...changes })
  expect([answer.status, answer.body]).toEqual([200, expect.objectContaining(changes)])
}

export const factsOfTemplates = ['id', 'created_at', 'updated_at']
