const deepest = 100

/**
 * Why text that is JSON is not taken all the same: an object names a member twice (RFC 8259, 4, leaves open which one
 * counts), or it is nested without end. Undefined: it is taken.
 */
export function refuseJson(text: string): string | undefined {
  const open: (Set<unknown> | undefined)[] = []
  for (const [token, string, colon] of text.matchAll(/[{}[\]]|("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined)
    if (token === '}' || token === ']') open.pop()
    if (open.length > deepest) return `It is nested more than ${deepest} levels deep.`
    if (string === undefined || colon === undefined) continue
    const [name, names] = [JSON.parse(string) as string, open.at(-1)]
    if (names?.has(name)) return `It names the member ${JSON.stringify(name.slice(0, 100))} twice.`
    names?.add(name)
  }
  return undefined
}
