import { ActivityFailure, ApplicationFailure, setCurrentDetails, sleep } from '@temporalio/workflow'

import type { RunOutcome, RunPlan } from './contract.ts'

export type Attempt = {
  run: (attempt: number, summary: string) => Promise<RunOutcome>
  /** For an attempt that gave no answer: its run may have ended all the same, or is lost. */
  closeLost: (attempt: number) => Promise<RunOutcome>
}

/** Pauses between attempts, in seconds: 1, 2, 4 … 300. */
const pauseSeconds = (attempt: number): number => Math.min(2 ** (attempt - 1), 300)

async function attemptRun(
  { run, closeLost }: Attempt,
  attempt: number,
  summary: string,
): Promise<RunOutcome & { isLost: boolean }> {
  try {
    return { ...(await run(attempt, summary)), isLost: false }
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return { ...(await closeLost(attempt)), isLost: true }
  }
}

/**
 * Runs a script until it succeeds or its attempts are used up, with growing pauses, and answers with the last run.
 * Up to `forgiven` attempts whose process was lost do not count: that was not the script's doing.
 */
export async function runWithRetries(
  plan: NonNullable<RunPlan>,
  how: Attempt,
  forgiven = 0,
): Promise<RunOutcome> {
  let attempts = plan.attempts
  for (let attempt = 1; ; attempt++) {
    const summary = `${plan.script} v${plan.version}, attempt ${attempt} of ${attempts}`
    const outcome = await attemptRun(how, attempt, summary)
    setCurrentDetails(
      `Attempt ${attempt} of ${attempts}: **${outcome.status}** (${outcome.ended_by}), run \`${outcome.run_id}\``,
    )
    if (outcome.status === 'succeeded') return outcome
    if (outcome.isLost && attempts - plan.attempts < forgiven) attempts++
    if (attempt >= attempts) return outcome
    await sleep(pauseSeconds(attempt) * 1_000, { summary: `before attempt ${attempt + 1} of ${attempts}` })
  }
}

/** The result of a workflow that ran a script. @throws ApplicationFailure when the last attempt failed */
export function concludeRun({ script, version }: NonNullable<RunPlan>, last: RunOutcome): string {
  if (last.status === 'succeeded') return `${script} v${version} succeeded`
  const message = `${script} v${version} failed: ${last.ended_by}, run ${last.run_id}`
  throw ApplicationFailure.nonRetryable(message, 'script_failed')
}
