import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useLocation } from '@tanstack/react-router'

import type { Me } from '../../../domain/directory.ts'
import { pendingQuery } from '../api/queries.ts'
import { offeredTo, tabsAt } from './areas.ts'
import classes from './navigation.module.css'

export function Navigation({ me }: { me: Me }) {
  const { pathname } = useLocation()
  const isAmongRequests = tabsAt(pathname, me).length > 0
  return offeredTo(me).map(({ label, areas }) => (
    <section key={label} className={classes.section}>
      <h2 className={classes.label}>{label}</h2>
      <ul className={classes.areas}>
        {areas.map(({ to, label }) => {
          const isOfRequests = to === '/request-access'
          return (
            <li key={to}>
              <Link to={to} className={classes.area} aria-current={isOfRequests && isAmongRequests}>
                {label}
                {isOfRequests && <Waiting said=" to decide" />}
              </Link>
            </li>
          )
        })}
      </ul>
    </section>
  ))
}

/** Where one can go among the access requests. */
export function Tabs({ me }: { me: Me }) {
  const { pathname } = useLocation()
  const tabs = tabsAt(pathname, me)
  if (tabs.length === 0) return null
  return (
    <ul className={classes.tabs} aria-label="Access requests">
      {tabs.map(({ to, label }) => (
        <li key={to}>
          <Link to={to} className={classes.tab}>
            {label}
            {to === '/approvals' && <Waiting said=" waiting" />}
          </Link>
        </li>
      ))}
    </ul>
  )
}

/** How many requests wait for the viewer's decision; `said`: what that means, to those who hear it. */
export function Waiting({ said }: { said: string }) {
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
