import { setTimeout as sleep } from 'node:timers/promises'

import { decodeJwt } from 'jose'
import { z } from 'zod'

import { AccessRequest, AccessRequestDetail } from '../domain/access-request.ts'
import { Run } from '../domain/script-task.ts'
import { printableToken } from './token.ts'

const Listed = z.object({ data: z.array(z.object({ id: z.string(), name: z.string().optional() })) })
const Minted = z.object({ access_token: z.string(), expires_in: z.int() })
const Runs = z.object({ data: z.array(Run) })

type Client = <Schema extends z.ZodType>(
  method: 'GET' | 'POST',
  path: string,
  schema: Schema,
  body?: object,
) => Promise<z.infer<Schema>>

/** Calls the API as one person. @throws with the problem's own words */
async function signIn(email: string): Promise<Client> {
  const { token, url } = await printableToken(email)
  return async (method, path, schema, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer: unknown = await response.json()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
    return schema.parse(answer)
  }
}

const say = (text: string) => process.stdout.write(`${text}\n`)

async function step<Result>(
  title: string,
  work: () => Promise<Result>,
  show: (result: Result) => string,
): Promise<Result> {
  const began = performance.now()
  const result = await work()
  say(`${`${Math.round(performance.now() - began)} ms`.padStart(8)}  ${title}\n          ${show(result)}`)
  return result
}

async function getByName(client: Client, path: string, name: string): Promise<string> {
  const { data } = await client('GET', path, Listed)
  const found = data.find((each) => each.name === name)
  if (found === undefined) throw new Error(`${name} is not there: the demo needs the demo organisation`)
  return found.id
}

async function waitForRun(
  admin: Client,
  task_id: string,
  request_id: string,
  trigger: string,
): Promise<z.infer<typeof Run>> {
  for (let waited = 0; waited < 20_000; waited += 100) {
    const { data } = await admin('GET', `/scheduled-tasks/${task_id}/runs`, Runs)
    const run = data.find(
      (each) => each.request_id === request_id && each.trigger === trigger && each.status !== 'running',
    )
    if (run) return run
    await sleep(100)
  }
  throw new Error(`the trigger's run for ${trigger} has not ended within 20 s`)
}

const rolesIn = ({ access_token, expires_in }: z.infer<typeof Minted>): string =>
  `roles: ${JSON.stringify(decodeJwt(access_token).roles ?? null)}, expires in ${expires_in} s`

/** One request's life, on a running product, by its public API alone. */
async function demo(): Promise<void> {
  const [alice, bob, admin] = await Promise.all(
    ['alice@example.com', 'bob@example.com', 'admin@example.com'].map(signIn),
  )
  if (!alice || !bob || !admin) throw new Error('nobody is signed in')
  const template_id = await getByName(alice, '/access-request-templates', 'Database read-only access')
  const app_id = await getByName(alice, '/applications', 'Internal DB')
  const task_id = await getByName(admin, '/scheduled-tasks', 'access_request_event_logger')
  const mint = () => alice('POST', `/applications/${app_id}/token`, Minted)

  const request = await step(
    'alice asks for 60 minutes of read-only access',
    () =>
      alice('POST', '/access-requests', AccessRequest, {
        template_id,
        requested_duration_mins: 60,
        justification: 'Need access to debug the production incident.',
      }),
    ({ id, status, notified_approvers }) => `${id} is ${status}; told: ${notified_approvers.join(', ')}`,
  )
  await step(
    'bob approves',
    () =>
      bob('POST', `/access-requests/${request.id}/approve`, AccessRequest, {
        comment: 'Approved for the incident window.',
      }),
    ({ status, expires_at }) => `it is ${status} until ${expires_at}`,
  )
  await step('alice gets a token for Internal DB', mint, rolesIn)
  await step(
    'the trigger task has run',
    () => waitForRun(admin, task_id, request.id, 'approved'),
    ({ task_name, status, result }) =>
      `${task_name} ${status}:\n${(result ?? '').replace(/^/gm, '          | ')}`,
  )
  await step(
    'bob revokes',
    () =>
      bob('POST', `/access-requests/${request.id}/revoke`, AccessRequest, {
        comment: 'The incident is over.',
      }),
    ({ status, decision }) => `it is ${status} (decision: ${decision})`,
  )
  await step('alice gets another token', mint, rolesIn)
  const { workflow_url } = await alice('GET', `/access-requests/${request.id}`, AccessRequestDetail)
  say(`\n          The workflow: ${workflow_url ?? 'no Temporal UI is known'}`)
}

try {
  await demo()
} catch (error) {
  process.stderr.write(`  ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
