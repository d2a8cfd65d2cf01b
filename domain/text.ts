import { z } from 'zod'

const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0')

/** Text of at most `max` UTF-16 units that a database can hold: no NUL, no lone surrogate. */
export const Text = (max: number) =>
  z.string().max(max, { abort: true }).refine(isStorable, 'holds a NUL character or half a character')

/** Control and format characters, line and paragraph separators: what makes two names look alike, or one look like another. */
const isPlain = (text: string) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)

/** A name that people see in lists: one line, not blank, trimmed, nothing in it that cannot be seen. */
export const Name = Text(200)
  .trim()
  .normalize('NFC')
  .min(1, 'must not be blank')
  .refine(isPlain, 'must be one line without invisible characters')

/** RFC 3339 in UTC, as every answer of the API gives it. */
export const Instant = z.iso.datetime({ offset: true })
