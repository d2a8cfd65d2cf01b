import type { ReactNode } from 'react'

import classes from './facts.module.css'
import { Words } from './words.tsx'

/** Names and values, one below the other; what is null or false is left out. A text is what somebody wrote. */
export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className={classes.facts}>
      {facts
        .filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '')
        .map(([name, value]) => (
          <div key={name} className={classes.fact}>
            <dt>{name}</dt>
            <dd>{typeof value === 'string' ? <Words>{value}</Words> : value}</dd>
          </div>
        ))}
    </dl>
  )
}
