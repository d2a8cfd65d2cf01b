export function birthOf(pid: number): string | undefined
export function isRunning(identity: { pid: number; born: string }): boolean
