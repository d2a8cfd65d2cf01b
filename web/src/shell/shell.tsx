import { useQuery } from '@tanstack/react-query'
import { Outlet, useLocation } from '@tanstack/react-router'
import { Suspense, useEffect, useRef, useState } from 'react'

import type { Me } from '../../../domain/directory.ts'
import { meQuery } from '../api/session.ts'
import { useLive } from '../live/use-live.ts'
import { lazyPage } from '../ui/lazy-page.ts'
import { Loading, Refusal } from '../ui/states.tsx'
import { AccountMenu } from './account-menu.tsx'
import { Away } from './away.tsx'
import { Navigation, Tabs, Waiting } from './navigation.tsx'
import { SchemeButton } from './scheme-button.tsx'
import classes from './shell.module.css'

const SignIn = lazyPage(() => import('../pages/sign-in/sign-in.tsx'), 'SignIn')

/** Everything below needs somebody who is signed in; until then the sign-in stands at the very same address. */
export function Shell() {
  const me = useQuery(meQuery)
  if (me.data) return <SignedIn key={me.data.id} me={me.data} />
  if (me.error !== null)
    return <Outside>{<Refusal error={me.error} retry={() => void me.refetch()} />}</Outside>
  if (me.isPending) return <Outside>{<Loading rows={3} />}</Outside>
  return (
    <Outside>
      <Suspense fallback={<Loading rows={3} />}>
        <SignIn />
      </Suspense>
    </Outside>
  )
}

function Outside({ children }: { children: React.ReactNode }) {
  return <main className={classes.outside}>{children}</main>
}

function SignedIn({ me }: { me: Me }) {
  const [isOpen, setOpen] = useState(false)
  const menu = useRef<HTMLButtonElement>(null)
  const { pathname } = useLocation()
  const awaySince = useLive()
  useEffect(() => setOpen(false), [pathname])
  const close = () => {
    setOpen(false)
    menu.current?.focus()
  }
  return (
    <div className={classes.shell} onKeyDown={({ key }) => key === 'Escape' && isOpen && close()}>
      <a href="#main" className={classes.skip}>
        Skip to the content
      </a>
      <header className={classes.bar}>
        <button
          ref={menu}
          type="button"
          className={classes.menu}
          aria-expanded={isOpen}
          aria-controls="navigation"
          onClick={() => setOpen(!isOpen)}
        >
          Menu <Waiting said=" to decide" />
        </button>
        <span className={classes.brand}>
          <img src="/icon.svg" alt="" width={24} height={24} /> Hallpass
        </span>
        <AccountMenu me={me} />
      </header>
      <nav aria-label="Main" className={classes.ways}>
        <div id="navigation" className={classes.navigation} data-open={isOpen}>
          <p className={classes.who}>Signed in as {me.display_name}</p>
          <Navigation me={me} />
          <SchemeButton />
        </div>
        <Tabs me={me} />
      </nav>
      <main id="main" tabIndex={-1} className={classes.main}>
        <Outlet />
      </main>
      <Away since={awaySince} />
    </div>
  )
}

/** Shown in place of a page that fell over. */
export function PageFailed({ error }: { error: unknown }) {
  return <Refusal title="This page could not be shown" error={error} retry={() => location.reload()} />
}
