const MAX_HEADERS = 100
const MAX_HEADER_CHARS = 32_768

/** What the sending side decides: framing, routing, connection, encodings that it can undo. */
const refused = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function assertHeader(name: string, value: string): void {
  if (!/^[!#$%&'*+.^_`|~\w-]{1,200}$/.test(name)) throw new Error('the name of a header is not valid')
  if (refused.has(name)) throw new Error(`the header ${name} is set by the product, not by a script`)
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw new Error(`the header ${name} holds a line end or a character that headers cannot carry`)
}

/** The headers by lower-case name. @throws Error for whoever wrote the script */
export function readHeaders(headers: Record<string, string>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  if (entries.length > MAX_HEADERS) throw new Error(`a request may have ${MAX_HEADERS} headers`)
  if (entries.flat().join('').length > MAX_HEADER_CHARS)
    throw new Error(`the headers of a request may have ${MAX_HEADER_CHARS} characters`)
  for (const [name, value] of entries) assertHeader(name, value)
  return Object.fromEntries(entries)
}
