import type { AppMapping } from '../../../../../domain/directory.ts'

type Level = AppMapping['privilege_level']

/** How much an entitlement allows, or an identity may do. */
export const levels: { value: Level; label: string }[] = [
  { value: 'low', label: 'Low' },
  { value: 'medium', label: 'Medium' },
  { value: 'high', label: 'High' },
  { value: 'critical', label: 'Critical' },
]

export const asLevel = (text: string): Level | null =>
  levels.find(({ value }) => value === text)?.value ?? null
