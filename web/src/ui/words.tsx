import classes from './words.module.css'

/** Characters that turn the direction of what follows: with them a text reads as another one than it is. */
const turning = /[\u202A-\u202E\u2066-\u2069]/gu

const nameOf = (character: string): string => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`

/** What somebody wrote, with nothing in it that hides how it is written. */
export const legible = (text: string): string => text.replaceAll(turning, nameOf)

/** What somebody wrote: each paragraph in the direction of its own script, lines as they are. */
export function Words({ children }: { children: string }) {
  return <div className={classes.words}>{legible(children)}</div>
}

/** Somebody by name and address, whichever way these are written. */
export function Person({ name, email }: { name: string; email: string }) {
  return (
    <>
      <bdi>{name}</bdi> (<bdi>{email}</bdi>)
    </>
  )
}
