/** The search of an address is names and texts as they are written: none is taken for JSON, or for a number. */
export const parseSearch = (search: string): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(search))

export function stringifySearch(search: Record<string, unknown>): string {
  const texts = Object.entries(search).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value]] : [],
  )
  return texts.length === 0 ? '' : `?${new URLSearchParams(texts)}`
}
