import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { Me } from '../../../domain/directory.ts'
import { pendingQuery } from '../api/queries.ts'
import { offeredTo } from './areas.ts'
import classes from './navigation.module.css'

export function Navigation({ me }: { me: Me }) {
  return offeredTo(me).map(({ label, areas }) => (
    <section key={label} className={classes.section}>
      <h2 className={classes.label}>{label}</h2>
      <ul className={classes.areas}>
        {areas.map(({ to, label }) => (
          <li key={to}>
            <Link to={to} className={classes.area}>
              {label}
              {to === '/approvals' && <Waiting />}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  ))
}

/** How many requests wait for the viewer's decision; `said`: what that means, to those who hear it. */
export function Waiting({ said = ' waiting' }: { said?: string }) {
  const { data } = useInfiniteQuery(pendingQuery)
  const count = data?.pages.reduce((sum, page) => sum + page.data.length, 0) ?? 0
  if (count === 0) return null
  return (
    <span className={classes.count}>
      {data?.pages.at(-1)?.next_cursor ? `${count}+` : count}
      <span className="visually-hidden">{said}</span>
    </span>
  )
}
