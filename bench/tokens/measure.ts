import type { Contender } from './contender.ts'
import type { LoadResult } from './load.ts'
import { cores, firstLine, startScript } from './pinned.ts'

/** Asks one contender as fast as so many connections can. */
export async function load(
  { name, request }: Contender,
  connections: number,
  seconds: number,
): Promise<LoadResult> {
  const child = startScript(cores.load, './load.ts', { request, connections, seconds })
  const result = JSON.parse(await firstLine(child)) as LoadResult
  if (result.refused > result.answered / 100) throw new Error(`${name} refused ${result.refused} calls`)
  return result
}
