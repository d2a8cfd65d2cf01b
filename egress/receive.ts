import type { IncomingMessage } from 'node:http'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Readable, Transform } from 'node:stream'

/** The most that a response may hold, after decompression. */
export const MAX_RESPONSE_BYTES = 1_000_000

const decoders: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  deflate: createInflate,
}

function decodedOf(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity' || encoding === '') return response
  const create = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined
  if (create === undefined) throw new Error('the response is encoded in a way that cannot be read')
  return response.pipe(create())
}

const MAX_CHUNKS = 1_000

/** A server may send byte by byte, and a buffer takes a hundred times that. */
function joined(chunks: Buffer[], chunk: Buffer): Buffer[] {
  chunks.push(chunk)
  return chunks.length < MAX_CHUNKS ? chunks : [Buffer.concat(chunks)]
}

const tooLarge = () => new Error(`the response has more than ${MAX_RESPONSE_BYTES} bytes`)

/**
 * Reads a response to its end: decompressed and capped while it arrives. Its bytes are read as UTF-8. By events:
 * `pipeline` was seen to wait for ever for a decoder that it had destroyed half-way.
 */
export async function receiveBody(response: IncomingMessage): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const stream = decodedOf(response)
  let chunks: Buffer[] = []
  let size = 0
  let received = 0
  response.on('error', reject)
  response.on('data', (chunk: Buffer) => (received += chunk.byteLength))
  // What has no body has nothing to unpack, whatever its header says (HEAD, 204).
  stream.on('error', (error) => (received === 0 && stream !== response ? resolve() : reject(error)))
  stream.on('end', resolve)
  stream.on('data', (chunk: Buffer) => {
    size += chunk.byteLength
    if (size > MAX_RESPONSE_BYTES) reject(tooLarge())
    else chunks = joined(chunks, chunk)
  })
  // Whatever ended it, nothing more is unpacked.
  await promise.finally(() => {
    response.destroy()
    stream.destroy()
  })
  return Buffer.concat(chunks).toString('utf8')
}
