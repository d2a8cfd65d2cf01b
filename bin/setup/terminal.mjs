import { readFileSync } from 'node:fs'

/** Set-up speaks on stderr only: the stdout of `npm run token` and the like belongs to the command. */
export function say(line) {
  process.stderr.write(`  ${line}\n`)
}

/** A running line: rewritten in place on a terminal, one line every five seconds elsewhere. Returns the function that ends it. */
export function showProgress(describe) {
  const isTerminal = process.stderr.isTTY
  const timer = setInterval(
    () => (isTerminal ? process.stderr.write(`\r\x1b[2K  ${describe()}`) : say(describe())),
    isTerminal ? 500 : 5000,
  )
  return () => {
    clearInterval(timer)
    if (isTerminal) process.stderr.write('\r\x1b[2K')
  }
}

/** The parsed content of a JSON file; undefined where it is missing or broken. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}
