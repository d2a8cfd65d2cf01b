import type { AccessRequest } from '../../../domain/access-request.ts'
import classes from './marks.module.css'

type Tone = 'neutral' | 'waiting' | 'good' | 'bad' | 'warning'

/** A short word with a color; the word says everything, the color only helps. */
export function Mark({ tone = 'neutral', children }: { tone?: Tone; children: string }) {
  return (
    <span className={classes.mark} data-tone={tone}>
      {children}
    </span>
  )
}

const statusTones: Record<AccessRequest['status'], Tone> = {
  pending: 'waiting',
  approved: 'good',
  denied: 'bad',
  revoked: 'warning',
  expired: 'neutral',
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** The state of a request; one that was taken back before anybody decided reads as cancelled. */
export function StatusMark({ request }: { request: Pick<AccessRequest, 'status' | 'decision'> }) {
  const isCancelled = request.decision === 'cancelled'
  const word = isCancelled ? 'cancelled' : request.status
  return <Mark tone={isCancelled ? 'neutral' : statusTones[request.status]}>{capital(word)}</Mark>
}

const levelTones: Record<string, Tone> = { low: 'good', medium: 'waiting', high: 'warning', critical: 'bad' }

export function PrivilegeMark({ level }: { level: string }) {
  return <Mark tone={levelTones[level] ?? 'neutral'}>{`${capital(level)} privilege`}</Mark>
}
