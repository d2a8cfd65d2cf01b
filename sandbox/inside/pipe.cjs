// The two pipes of the process that runs a script: frames of a little-endian u32 length and JSON.
'use strict'

const HEADER_BYTES = 4

function send(message) {
  const body = Buffer.from(JSON.stringify(message))
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32LE(body.length)
  process.stdout.write(Buffer.concat([header, body]))
}

/** Hands each message of the parent to the handler of its type; the parent is trusted. Its end is the end. */
function listen(handlers, onEnd) {
  let buffered = Buffer.alloc(0)
  const frameBytes = () => HEADER_BYTES + (buffered.length < HEADER_BYTES ? 0 : buffered.readUInt32LE(0))
  process.stdin.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk])
    while (buffered.length >= HEADER_BYTES && buffered.length >= frameBytes()) {
      const message = JSON.parse(buffered.toString('utf8', HEADER_BYTES, frameBytes()))
      buffered = buffered.subarray(frameBytes())
      handlers[message.type](message)
    }
  })
  process.stdin.on('end', onEnd)
}

module.exports = { send, listen }
