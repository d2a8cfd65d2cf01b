import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  ApplicationFailure,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/client'
import type { Client, WorkflowStartOptions } from '@temporalio/client'

import { isFinal } from '../domain/lifecycle.ts'
import type { Sql } from '../db/client.ts'
import { applyCommand } from '../db/requests/apply.ts'
import { findCommand } from '../db/requests/commands.ts'
import type { CommandRow } from '../db/requests/commands.ts'
import { findEngineView, findStartFacts } from '../db/requests/view.ts'
import {
  approve,
  deny,
  poke,
  queues,
  revoke,
  searchKeys,
  workflowId,
  workflowTypes,
} from '../workflows/contract.ts'
import type { AccessRequestInput } from '../workflows/contract.ts'

/** The Temporal side, as the rest of the server uses it. It may be away at any time: nothing here is the record. */
export type Engine = {
  client: Client
  queue: string
  /**
   * Hands a command to its request's workflow, which is started if need be, and waits for it at most `ms`.
   * False: no answer, so nobody knows yet; the relay goes on with it.
   */
  send(command_id: string, ms: number): Promise<boolean>
  /** Sees to it that an open request has its workflow. */
  start(request_id: string): Promise<void>
  /** Tells a workflow to look again; one that is away learns of it when it is back. */
  poke(request_id: string): Promise<void>
}

export type EngineOptions = {
  client: Client
  sql: Sql
  /** `host:port`, asked before each call, so that a refused connection costs no waiting. */
  address: string
  /** The base name of the task queues. */
  queue: string
  public_url: string
  onTrouble?: (line: string) => void
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? (error.cause ?? error) : error)

function reasonOf(error: unknown): string {
  const cause = causeOf(error)
  const message = cause instanceof Error ? cause.message : String(cause)
  return /CANCELLED|DEADLINE/.test(message) ? 'Temporal did not answer in time' : message
}

/** The workflow has as many commands waiting as it takes. */
function isBusy(error: unknown): boolean {
  const cause = causeOf(error)
  return cause instanceof ApplicationFailure && cause.type === 'unavailable'
}

const updates = { approve, auto_approve: approve, deny, revoke } as const

/** Names are text, whatever they look like. */
const plain = (text: string): string => text.replaceAll(/[\\`*_[\]()<>#!|~]/g, String.raw`\$&`)

const hours = (mins: number): string => (mins % 60 === 0 ? `${mins / 60} h` : `${mins} min`)

/** Whether anything listens there at all. */
export function accepts(address: string, timeout_ms = 1_000): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`)
  return new Promise((resolve) => {
    const socket = net.connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port),
      timeout: timeout_ms,
    })
    const answer = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket
      .once('connect', () => answer(true))
      .once('error', () => answer(false))
      .once('timeout', () => answer(false))
  })
}

type StartOptions = WorkflowStartOptions & {
  args: [AccessRequestInput]
  workflowIdConflictPolicy: 'USE_EXISTING'
}

export function createEngine({ client, sql, address, queue, public_url, onTrouble }: EngineOptions): Engine {
  const bounded = <Result>(ms: number, work: () => Promise<Result>) =>
    client.connection.withAbortSignal(AbortSignal.timeout(ms), work)

  /** An operator may have ended a run, or the store may be new: the same id is started again, never twice at once. */
  async function startOptions(request_id: string): Promise<StartOptions> {
    const facts = await findStartFacts(sql, request_id)
    if (facts === undefined) throw new Error(`there is no request ${request_id}`)
    const { subject_name, app_name, template_name, requester_email, requested_duration_mins } = facts
    return {
      workflowId: workflowId(request_id),
      taskQueue: queues(queue).core,
      args: [{ request_id }],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `${subject_name} → ${app_name}, ${hours(requested_duration_mins)}`,
      staticDetails: `**${plain(template_name)}** for ${plain(subject_name)}\n\n[The request](${public_url}/api/v1/access-requests/${request_id})`,
      typedSearchAttributes: [
        { key: searchKeys.status, value: 'pending' },
        { key: searchKeys.template, value: template_name },
        { key: searchKeys.application, value: app_name },
        { key: searchKeys.requester, value: requester_email },
      ],
    }
  }

  async function start(request_id: string): Promise<void> {
    await client.workflow
      .start(workflowTypes.accessRequest, await startOptions(request_id))
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      })
  }

  async function update(command: CommandRow & { kind: keyof typeof updates }): Promise<void> {
    const startWorkflowOperation = new WithStartWorkflowOperation(
      workflowTypes.accessRequest,
      await startOptions(command.request_id),
    )
    startWorkflowOperation.workflowHandle().catch(() => undefined)
    const options = {
      args: [{ command_id: command.id }] as [{ command_id: string }],
      updateId: command.id,
      startWorkflowOperation,
    }
    const definition = updates[command.kind]
    const waitsForScript = command.kind === 'auto_approve' && command.run_id !== null
    if (!waitsForScript) await client.workflow.executeUpdateWithStart(definition, options)
    else await client.workflow.startUpdateWithStart(definition, { ...options, waitForStage: 'ACCEPTED' })
  }

  /** A request that has ended needs no workflow to say so. */
  async function deliver(command: CommandRow): Promise<void> {
    const { id: command_id, request_id, kind } = command
    const view = await findEngineView(sql, request_id)
    const hasEnded = view === undefined || isFinal(view.status)
    if (kind !== 'start' && !hasEnded) return update({ ...command, kind })
    if (!hasEnded) await start(request_id)
    await applyCommand(sql, { command_id, request_id })
  }

  return {
    client,
    queue,
    start,
    async send(command_id, ms) {
      if (!(await accepts(address))) return false
      for (const end = Date.now() + ms; Date.now() < end; await sleep(100)) {
        const command = await findCommand(sql, command_id)
        if (command === undefined || command.state !== 'queued') return true
        try {
          await bounded(Math.max(end - Date.now(), 1), () => deliver(command))
          return true
        } catch (error) {
          if (isBusy(error)) continue
          onTrouble?.(`${command.kind} ${command_id} is not carried out yet: ${reasonOf(error)}`)
          return false
        }
      }
      return false
    },
    async poke(request_id) {
      if (!(await accepts(address))) return
      const handle = client.workflow.getHandle(workflowId(request_id))
      await bounded(2_000, () => handle.signal(poke)).catch(() => undefined)
    },
  }
}
