export type Bell = { ring: () => void; heard: (pause: Promise<unknown>) => Promise<void> }

/** For one listener: waits for a ring or the end of the pause. A ring while it works is heard when it listens again. */
export function createBell(): Bell {
  let isRung = false
  let wake = () => {}
  return {
    ring: () => {
      isRung = true
      wake()
    },
    heard: async (pause) => {
      const rung = new Promise<void>((resolve) => (wake = resolve))
      if (!isRung) await Promise.race([pause, rung])
      isRung = false
    },
  }
}
