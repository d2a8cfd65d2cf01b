import { type ChildSettings, startChild } from '../child.ts'
import { type Level, levels } from './levels.ts'

/** Tries the levels on this machine by starting a child at each, and gives the first that works; throws with all reasons if none does. */
export async function strongestLevel(
  settings: Omit<ChildSettings, 'level'>,
  candidates: readonly Level[] = levels,
): Promise<Level> {
  const reasons: string[] = []
  for (const level of candidates) {
    const reason = await reasonAgainst({ ...settings, level })
    if (reason === null) return level
    reasons.push(`${level.name}: ${reason}`)
  }
  throw new Error(`scripts cannot run on this machine; ${reasons.join('; ')}`)
}

async function reasonAgainst(settings: ChildSettings): Promise<string | null> {
  try {
    const child = await startChild(settings)
    child.kill()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
