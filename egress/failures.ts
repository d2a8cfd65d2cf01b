const sentences: Record<string, string> = {
  ENOTFOUND: 'could not be found',
  EAI_AGAIN: 'could not be found',
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'ended the connection',
  EPIPE: 'ended the connection',
  ERR_STREAM_PREMATURE_CLOSE: 'ended the connection',
  ETIMEDOUT: 'did not answer in time',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

function sentenceFor(code: string): string {
  if (Object.hasOwn(sentences, code)) return sentences[code] ?? ''
  if (/CERT|SIGNATURE|TLS|SSL|EPROTO/.test(code)) return 'has no certificate that can be trusted'
  if (code.startsWith('HPE_')) return 'answered with something that is not HTTP'
  if (/^(Z_|ERR__?ERROR_|ERR_BROTLI|ERR_PADDING)/.test(code))
    return 'sent a response whose encoding is broken'
  return 'could not be called'
}

/** What became of a request, without the words of the system, which may name addresses of this machine. */
export function explainFailure(error: unknown, host: string, signal: AbortSignal): Error {
  if (signal.aborted) return new Error(`${host} did not answer in time`)
  const code = codeOf(error)
  const isOurs = error instanceof Error && error.constructor === Error && code === ''
  return isOurs ? error : new Error(`${host} ${sentenceFor(code)}`)
}
