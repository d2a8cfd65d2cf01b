import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useMatch, useNavigate, useRouter } from '@tanstack/react-router'
import { useEffect, type KeyboardEvent } from 'react'

import { pendingQuery } from '../../api/queries.ts'
import { Page } from '../../ui/page.tsx'
import { Empty } from '../../ui/states.tsx'
import { VirtualRows } from '../../ui/virtual-rows.tsx'
import classes from './approvals.module.css'
import { Judge } from './judge.tsx'
import { WaitingRequest } from './waiting-request.tsx'

/** Arrow keys go from request to request, beside Tab. */
function walk({ key, currentTarget }: KeyboardEvent<HTMLElement>): boolean {
  const step = key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0
  if (step === 0) return false
  const links = [...currentTarget.querySelectorAll<HTMLElement>('a')]
  const next = links[links.findIndex((link) => link === document.activeElement) + step]
  next?.focus()
  return next !== undefined
}

/** Where the chosen one stood nothing is left: whoever was in it goes on from the heading. */
function useFocusBack(chosen: string | undefined): void {
  useEffect(() => {
    if (chosen === undefined && document.activeElement === document.body)
      document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
  }, [chosen])
}

/** What waits for me, oldest first; the chosen one beside the list, on a phone in its place. */
export function Approvals() {
  const query = useInfiniteQuery(pendingQuery)
  const chosen = useMatch({ from: '/shell/approvals/$requestId', shouldThrow: false })?.params.requestId
  const navigate = useNavigate()
  const router = useRouter()
  useFocusBack(chosen)
  const items = query.data?.pages.flatMap(({ data }) => data) ?? []
  const goOn = (decided: string) => {
    if (!router.state.location.pathname.endsWith(decided)) return undefined
    const at = items.findIndex(({ id }) => id === decided)
    const next = items[at + 1] ?? items[at - 1]
    return next === undefined
      ? navigate({ to: '/approvals' })
      : navigate({ to: '/approvals/$requestId', params: { requestId: next.id } })
  }
  return (
    <Page title="Approvals" about="What waits for your decision, the oldest first." wide>
      <div className={classes.split} data-chosen={chosen !== undefined}>
        <div
          className={classes.list}
          onKeyDown={(event) => {
            if (walk(event)) event.preventDefault()
          }}
        >
          <VirtualRows
            query={query}
            label="Waiting for your decision"
            rowHeight={108}
            empty={<NothingWaits />}
          >
            {(request) => <WaitingRequest request={request} />}
          </VirtualRows>
        </div>
        {chosen !== undefined && (
          <section className={classes.chosen} aria-label="The chosen request">
            <Link to="/approvals" className={classes.back}>
              Back to the list
            </Link>
            <Judge key={chosen} request_id={chosen} onDecided={() => void goOn(chosen)} />
          </section>
        )}
      </div>
    </Page>
  )
}

function NothingWaits() {
  return (
    <Empty title="Nothing waits for you.">
      A new request that you may decide appears here by itself, without a reload.
    </Empty>
  )
}
