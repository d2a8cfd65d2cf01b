import { type Connection, isGrpcServiceError } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'

import { waitUntil } from './process.ts'

const { IndexedValueType } = proto.temporal.api.enums.v1
const indexedTypes = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  Datetime: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
  Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  Text: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
}

/** The search attributes of a namespace, by name. */
export type SearchAttributes = Readonly<Record<string, keyof typeof indexedTypes>>

type Services = Pick<Connection, 'workflowService' | 'operatorService'>

const retention_seconds = 90 * 86_400
const grpcCode = { notFound: 5, alreadyExists: 6 }
const patience_ms = 30_000

/**
 * Makes sure that a namespace exists, keeps closed workflows for 90 days or longer, and knows these search
 * attributes; returns once queries may use them. A missing one would wedge the first workflow task for ever.
 */
export async function prepareNamespace(
  services: Services,
  namespace: string,
  searchAttributes: SearchAttributes,
): Promise<void> {
  await ensureNamespace(services, namespace)
  await ensureSearchAttributes(services, namespace, searchAttributes)
}

async function ensureNamespace({ workflowService }: Services, namespace: string): Promise<void> {
  const retention = msToTs(retention_seconds * 1000)
  const current = await findRetention({ workflowService }, namespace)
  if (current === undefined) {
    await unless(grpcCode.alreadyExists, () =>
      workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention }),
    )
  } else if (current < retention_seconds) {
    await workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: retention } })
  }
}

async function findRetention(
  { workflowService }: Pick<Services, 'workflowService'>,
  namespace: string,
): Promise<number | undefined> {
  const found = await unless(grpcCode.notFound, () => workflowService.describeNamespace({ namespace }))
  return found && Number(found.config?.workflowExecutionRetentionTtl?.seconds ?? 0)
}

async function ensureSearchAttributes(
  { workflowService, operatorService }: Services,
  namespace: string,
  wanted: SearchAttributes,
): Promise<void> {
  const known = await eventually(() => operatorService.listSearchAttributes({ namespace }))
  const missing = Object.entries(wanted).filter(([name]) => known.customAttributes?.[name] === undefined)
  if (missing.length > 0) {
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, indexedTypes[type]]))
    await operatorService.addSearchAttributes({ namespace, searchAttributes })
  }
  const query = Object.keys(wanted)
    .map((name) => `\`${name}\` is null`)
    .join(' or ')
  await eventually(() => workflowService.countWorkflowExecutions({ namespace, query }))
}

/** What is new reaches Temporal's front end only when its cache is refreshed, seconds later. */
async function eventually<Result>(call: () => Promise<Result>): Promise<Result> {
  const outcome: { result?: Result; error?: unknown } = {}
  const works = async () => {
    try {
      outcome.result = await call()
      return true
    } catch (error) {
      outcome.error = error
      return false
    }
  }
  await waitUntil(works, { patience_ms })
  if (outcome.result === undefined) throw outcome.error
  return outcome.result
}

async function unless<Result>(code: number, call: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await call()
  } catch (error) {
    const found: number | undefined = isGrpcServiceError(error) ? error.code : undefined
    if (found !== code) throw error
    return undefined
  }
}
