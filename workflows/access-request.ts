import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'

import { isFinal } from '../domain/lifecycle.ts'
import type { Status } from '../domain/lifecycle.ts'
import { core, runBlock } from './activities.ts'
import { approve, deny, poke, revoke, searchKeys } from './contract.ts'
import type { AccessRequestInput, CommandMessage, CommandOutcome, RequestView } from './contract.ts'
import { describeView, nextStep, searchable } from './describe.ts'

type Verb = 'approve' | 'deny' | 'revoke'
type Letter = CommandMessage & { verb: Verb; outcome?: CommandOutcome; refusal?: ApplicationFailure }
type Inbox = { letters: Letter[]; isPoked: boolean }
type State = { view: RequestView; run: BlockRun | undefined; published: string }
type BlockRun = { letter: Letter; scope: CancellationScope; hasEnded: boolean }

/** The server allows 10 updates in flight; one more than this waits outside. */
const mailboxSize = 8

/**
 * One access request, from its submission to its end. PostgreSQL says what is true and decides; this workflow makes
 * it happen in time: decisions one after another, the block script before an approval, escalation, expiry.
 */
export async function accessRequest({ request_id }: AccessRequestInput): Promise<Status> {
  const inbox = openInbox()
  const state: State = { view: await core.loadRequest({ request_id }), run: undefined, published: '' }

  publish()
  while (!isFinal(state.view.status)) {
    const step = nextStep(state.view)
    const hasWork = () => nextLetter() !== undefined || inbox.isPoked || state.run?.hasEnded === true
    const isAwake = await waitFor(hasWork, step)
    if (!isAwake && step) await onTime(step.kind)
    else await onWork()
    publish()
    if (isQuiet()) await continueAsNew<typeof accessRequest>({ request_id })
  }
  await finish()
  return state.view.status

  /** A history that has grown long is left behind where nobody waits for an answer. */
  function isQuiet(): boolean {
    const { continueAsNewSuggested } = workflowInfo()
    return (
      continueAsNewSuggested && state.run === undefined && inbox.letters.length === 0 && allHandlersFinished()
    )
  }

  async function onWork(): Promise<void> {
    const letter = nextLetter()
    if (letter) {
      inbox.letters.splice(inbox.letters.indexOf(letter), 1)
      return open(letter)
    }
    if (state.run?.hasEnded) return endRun(state.run)
    inbox.isPoked = false
    state.view = await core.loadRequest({ request_id })
  }

  /** While a block script runs a second approval waits; deny and cancel do not. */
  function nextLetter(): Letter | undefined {
    return inbox.letters.find(({ verb }) => state.run === undefined || verb !== 'approve')
  }

  async function open(letter: Letter): Promise<void> {
    const { status, failure_mode } = state.view
    if (letter.verb === 'approve' && failure_mode === 'block' && status === 'pending') startRun(letter)
    else await carryOut(letter)
  }

  async function carryOut(letter: Letter): Promise<void> {
    const { command_id, verb } = letter
    try {
      const applied = await core.applyCommand.executeWithOptions({ summary: `${verb} ${command_id}` }, [
        { command_id, request_id, verb },
      ])
      letter.outcome = applied.outcome
      state.view = applied.view
    } catch (error) {
      letter.refusal = asRefusal(error)
    }
  }

  function startRun(letter: Letter): void {
    const scope = new CancellationScope()
    const run: BlockRun = { letter, scope, hasEnded: false }
    const ended = () => void (run.hasEnded = true)
    scope.run(() => runBlock(letter.command_id, state.view.script ?? 'trigger task')).then(ended, ended)
    state.run = run
  }

  /** Whether the script let it pass is read from its run in the database, not from what the activity said. */
  async function endRun(run: BlockRun): Promise<void> {
    state.run = undefined
    await carryOut(run.letter)
  }

  async function onTime(kind: 'escalate' | 'expire'): Promise<void> {
    const due = { request_id, as_of: Date.now() }
    state.view = await (kind === 'escalate' ? core.escalateRequest(due) : core.expireRequest(due))
  }

  function publish(): void {
    const { status, approver_groups, expires_at } = state.view
    setCurrentDetails(describeView(state.view, state.run?.letter.command_id))
    const found = JSON.stringify([status, approver_groups, expires_at])
    if (found === state.published) return
    state.published = found
    upsertSearchAttributes([
      { key: searchKeys.status, value: status },
      { key: searchKeys.approvers, value: searchable(approver_groups) },
      { key: searchKeys.expiresAt, value: expires_at === null ? null : new Date(expires_at) },
    ])
  }

  /** Everybody who still waits gets an answer. */
  async function finish(): Promise<void> {
    if (state.run) {
      const { run } = state
      run.scope.cancel()
      await condition(() => run.hasEnded)
      await endRun(run)
    }
    while (!allHandlersFinished()) {
      const letter = inbox.letters.shift()
      if (letter) await carryOut(letter)
      else await condition(() => inbox.letters.length > 0 || allHandlersFinished())
    }
    publish()
  }
}

/** What arrives, in order. Messages can be there before the first line has run, so this comes before any waiting. */
function openInbox(): Inbox {
  const inbox: Inbox = { letters: [], isPoked: false }
  const accept = (verb: Verb) => async (message: CommandMessage) => {
    const letter: Letter = { ...message, verb }
    inbox.letters.push(letter)
    await condition(() => letter.outcome !== undefined || letter.refusal !== undefined)
    return getOutcome(letter)
  }
  const validator = (message: CommandMessage) => refuseMessage(message, inbox.letters.length)
  setHandler(approve, accept('approve'), { validator, description: 'An approver approves' })
  setHandler(deny, accept('deny'), { validator, description: 'An approver denies' })
  setHandler(revoke, accept('revoke'), {
    validator,
    description: 'Cancels a pending request, or ends the access',
  })
  setHandler(poke, () => void (inbox.isPoked = true), {
    description: 'The request changed elsewhere: look again',
  })
  return inbox
}

async function waitFor(hasWork: () => boolean, step: ReturnType<typeof nextStep>): Promise<boolean> {
  if (step) return condition(hasWork, Math.max(step.at - Date.now(), 1), { summary: step.summary })
  await condition(hasWork)
  return true
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function refuseMessage(message: CommandMessage, waiting: number): void {
  if (typeof message?.command_id !== 'string' || !uuid.test(message.command_id)) {
    throw ApplicationFailure.nonRetryable('a command_id (UUID) is needed', 'invalid_request')
  }
  if (waiting >= mailboxSize)
    throw ApplicationFailure.nonRetryable('too many commands are waiting', 'unavailable')
}

function getOutcome({ outcome, refusal }: Letter): CommandOutcome {
  if (outcome) return outcome
  throw refusal ?? ApplicationFailure.nonRetryable('the command was not carried out', 'unavailable')
}

/** A message without a command behind it (forged, or meant for another request) is refused; it ends nothing. */
function asRefusal(error: unknown): ApplicationFailure {
  const isRefusal = error instanceof ActivityFailure && error.cause instanceof ApplicationFailure
  if (!isRefusal) throw error
  return ApplicationFailure.nonRetryable(error.cause.message, error.cause.type ?? 'not_found')
}
