import type { ScriptError } from './wire/messages.ts'

/** How a run ended; what each says to an admin is in `explain`. */
export type EndedBy = keyof typeof explanations

const explanations = {
  returned: 'The script returned.',
  threw: 'The script threw an error.',
  unhandled_rejection: 'A promise was rejected and nothing handled it.',
  stalled:
    'The script waits for something that cannot happen: no call is under way and run has not returned.',
  slice: 'The script kept the processor for longer than one stretch may take without waiting for a call.',
  cpu: 'The script used up its processor time.',
  wall: 'The script did not end before its time was over.',
  memory: 'The script used more memory than it may.',
  output: 'The script returned, logged or sent more than it may.',
  host_call: 'A call of the script failed and nothing handled it.',
  crashed: 'The process that ran the script ended unexpectedly.',
  killed: 'The process that ran the script was stopped.',
  cancelled: 'The run was cancelled.',
  disabled: 'The script is disabled.',
  saturated: 'No place to run the script became free in time.',
  invalid: 'The script cannot be run.',
}

/** The error of a run that did not return: the script's own words where there are some, else what the end means. */
export function explain(endedBy: EndedBy, error: ScriptError | null = null): ScriptError | null {
  if (endedBy === 'returned') return null
  const message = error === null || error.message === '' ? explanations[endedBy] : plainText(error.message)
  return { message, line: error?.line ?? null, column: error?.column ?? null }
}

// Control characters except tab and line ends, line separators, and what reorders the text around it.
const obeyed = /[^\P{Cc}\t\n\r]|\r(?!\n)|\p{Bidi_Control}|[\u2028\u2029]/gu

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Text of a script made safe to show: well-formed, with what a terminal or page would obey written as \uXXXX. */
export const plainText = (text: string) => text.toWellFormed().replace(obeyed, escaped)

/** Text of a script made safe to store: well-formed and without NUL, otherwise as it is. */
export const storableText = (text: string) => text.toWellFormed().replaceAll('\0', escaped('\0'))
