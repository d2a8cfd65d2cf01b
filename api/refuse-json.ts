const deepest = 100

const codeOf = (char: string): number => char.charCodeAt(0)
const [quote, backslash, colon] = [codeOf('"'), codeOf('\\'), codeOf(':')]
const opening = new Set([codeOf('{'), codeOf('[')])
const closing = new Set([codeOf('}'), codeOf(']')])
const blank = new Set([codeOf(' '), codeOf('\t'), codeOf('\n'), codeOf('\r')])

/** A quote behind an odd number of backslashes is part of the string. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before--
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}

function isName(text: string, end: number): boolean {
  let at = end + 1
  while (blank.has(text.charCodeAt(at))) at++
  return text.charCodeAt(at) === colon
}

function readName(text: string, start: number, end: number): string {
  const written = text.slice(start + 1, end)
  return written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written
}

/**
 * Why text that is JSON is not taken all the same: an object names a member twice (RFC 8259, 4, leaves open which one
 * counts), or it is nested without end. Undefined: it is taken. Goes by the codes of characters: a match for each of a
 * million brackets took seconds, and a comparison of text for each character a tenth of one.
 */
export function refuseJson(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (opening.has(code)) open.push(code === codeOf('{') ? new Set() : undefined)
    else if (closing.has(code)) open.pop()
    if (open.length > deepest) return `It is nested more than ${deepest} levels deep.`
    if (code !== quote) continue
    const start = at
    at = endOfString(text, start)
    if (!isName(text, at)) continue
    const [name, names] = [readName(text, start, at), open.at(-1)]
    if (names?.has(name)) return `It names the member ${JSON.stringify(name.slice(0, 100))} twice.`
    names?.add(name)
  }
  return undefined
}
