import { z } from 'zod'

/** An object whose keys are data. zod leaves a member named `__proto__` out of it without a word; here it is refused. */
export const recordOf = <Value extends z.ZodType>(key: z.ZodType<string, string>, value: Value) =>
  z.preprocess(
    (input, context) => {
      const isHidden = typeof input === 'object' && input !== null && Object.hasOwn(input, '__proto__')
      if (isHidden) context.addIssue({ code: 'custom', path: ['__proto__'], message: 'is not a known field' })
      return input
    },
    z.record(key, value),
  )
