const deepest = 100

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

function isName(text: string, end: number): boolean {
  let at = end + 1
  while (' \t\n\r'.includes(text[at] ?? '-')) at++
  return text[at] === ':'
}

/**
 * Why text that is JSON is not taken all the same: an object names a member twice (RFC 8259, 4, leaves open which one
 * counts), or it is nested without end. Undefined: it is taken. Goes by characters: a match for each of a million
 * brackets took seconds.
 */
export function refuseJson(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '[') open.push(char === '{' ? new Set() : undefined)
    if (char === '}' || char === ']') open.pop()
    if (open.length > deepest) return `It is nested more than ${deepest} levels deep.`
    if (char !== '"') continue
    const start = at
    at = endOfString(text, start)
    if (!isName(text, at)) continue
    const [name, names] = [JSON.parse(text.slice(start, at + 1)) as string, open.at(-1)]
    if (names?.has(name)) return `It names the member ${JSON.stringify(name.slice(0, 100))} twice.`
    names?.add(name)
  }
  return undefined
}
