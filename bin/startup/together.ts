/**
 * Does things at the same time. When one fails, the others are called off and waited for, so that nothing begins
 * behind the back of the clean-up.
 */
export async function together<Results extends unknown[]>(
  signal: AbortSignal,
  begin: (signal: AbortSignal) => { [Index in keyof Results]: Promise<Results[Index]> },
): Promise<Results> {
  const failure = new AbortController()
  const works = begin(AbortSignal.any([signal, failure.signal]))
  try {
    return await Promise.all(works)
  } catch (error) {
    failure.abort(error)
    await Promise.allSettled(works)
    throw error
  }
}
