import { z } from 'zod'

const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0')

/** Text of at most `max` UTF-16 units that a database can hold: no NUL, no lone surrogate. */
export const Text = (max: number) =>
  z.string().max(max).refine(isStorable, 'holds a NUL character or half a character')

const isOneLine = (text: string) => !/[\r\n\u2028\u2029]/.test(text)

/** A name that people see in lists: one line, not blank, trimmed. */
export const Name = Text(200).trim().min(1, 'must not be blank').refine(isOneLine, 'must be one line')

/** RFC 3339 in UTC, as every answer of the API gives it. */
export const Instant = z.iso.datetime({ offset: true })
