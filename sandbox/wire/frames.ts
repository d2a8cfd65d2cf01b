/** A frame that is too long or not JSON: whoever sent it is not to be trusted with another. */
export class FrameRefused extends Error {
  override name = 'FrameRefused'
}

const HEADER_BYTES = 4

/** One message on the wire: its length as a little-endian u32, then JSON. */
export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message))
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32LE(body.length)
  return Buffer.concat([header, body])
}

/** Cuts a stream of chunks into messages, however they are split; throws FrameRefused before it buffers an oversize frame. */
export function createFrameReader(maxBytes: number): (chunk: Buffer) => unknown[] {
  let chunks: Buffer[] = []
  let buffered = 0
  let wanted = HEADER_BYTES

  const join = () => {
    const whole = Buffer.concat(chunks)
    chunks = [whole]
    return whole
  }
  const rest = (from: Buffer, start: number) => {
    chunks = [from.subarray(start)]
    buffered = from.length - start
  }
  const next = (): Buffer | null => {
    if (buffered < HEADER_BYTES || buffered < wanted) return null
    const whole = join()
    const length = whole.readUInt32LE(0)
    if (length > maxBytes) throw new FrameRefused(`a frame of ${length} bytes`)
    wanted = HEADER_BYTES + length
    if (buffered < wanted) return null
    rest(whole, wanted)
    const body = whole.subarray(HEADER_BYTES, wanted)
    wanted = HEADER_BYTES
    return body
  }

  return (chunk) => {
    chunks.push(chunk)
    buffered += chunk.length
    const messages: unknown[] = []
    for (let body = next(); body !== null; body = next()) messages.push(parseBody(body))
    return messages
  }
}

function parseBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new FrameRefused('a frame that is not JSON')
  }
}
