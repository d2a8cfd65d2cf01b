import { lazyRouteComponent } from '@tanstack/react-router'

import { messageOf } from '../api/problem.ts'

const pauseMs = 2_000

const answers = (): Promise<boolean> =>
  fetch('/', { method: 'HEAD', cache: 'no-store' }).then(
    ({ ok }) => ok,
    () => false,
  )

async function untilServerAnswers(): Promise<void> {
  while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, pauseMs))
}

/** By these words the router knows a page that is not there; of a style that is not there it knows nothing. */
const missing = (error: unknown) =>
  new TypeError(`Failed to fetch dynamically imported module: ${messageOf(error)}`)

const patiently =
  <Module>(load: () => Promise<Module>) =>
  () =>
    load().catch(async (error: unknown) => {
      await untilServerAnswers()
      throw missing(error)
    })

/**
 * A page that is fetched when it is opened. While the server is away it is waited for; then the router loads the address
 * anew, and whatever version of the pages the server has by then.
 */
export const lazyPage: typeof lazyRouteComponent = (load, name) => lazyRouteComponent(patiently(load), name)
