import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow'

type Activities = { touch: () => Promise<void> }

const { touch: touchOnce } = proxyActivities<Activities>({ startToCloseTimeout: '10s' })

export const step = defineUpdate<void>('step')
export const finish = defineUpdate<void>('finish')

/** The floor: an update that runs one activity, which does nothing. */
export async function bare(): Promise<void> {
  let isFinished = false
  setHandler(step, () => touchOnce())
  setHandler(finish, () => void (isFinished = true))
  await condition(() => isFinished)
}
