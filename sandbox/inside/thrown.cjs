// What a script threw, as `{message, line, column}`: its words and the place in its file, no stack and no path.
'use strict'

const MESSAGE_CHARS = 2100
const NOT_AN_ERROR = 'a value that is not an error was thrown'
const ITS_WORDS_FOR_THAT = 'An object was thrown from supplied code within isolated-vm'

// isolated-vm hands over a structured copy of what was thrown: plain data, whatever it claims to be.
function textOf(thrown) {
  if (typeof thrown !== 'object' || thrown === null) return { name: '', message: String(thrown), stack: '' }
  const { name, message, stack } = thrown
  if (typeof message !== 'string' || message.startsWith(ITS_WORDS_FOR_THAT))
    return { name: '', message: NOT_AN_ERROR, stack: '' }
  return { name: String(name ?? ''), message, stack: String(stack ?? '') }
}

/** The first place in the file that a stack names. */
function placeIn(stack, filename) {
  const start = stack.indexOf(`${filename}:`)
  const found = start < 0 ? null : /^(\d{1,7}):(\d{1,7})/.exec(stack.slice(start + filename.length + 1))
  return found === null ? { line: null, column: null } : { line: Number(found[1]), column: Number(found[2]) }
}

function describe(thrown, filename) {
  const { name, message, stack } = textOf(thrown)
  const words = name === '' || name === 'Error' ? message : `${name}: ${message}`
  return { message: words.slice(0, MESSAGE_CHARS), ...placeIn(stack, filename) }
}

/** As `describe`, for an error of the compiler, which ends its message with the place. */
function describeRefusal(error, filename) {
  const { message, ...rest } = describe(error, filename)
  return { message: message.replace(/ \[[^\]]*\]$/, ''), ...rest }
}

module.exports = { describe, describeRefusal }
