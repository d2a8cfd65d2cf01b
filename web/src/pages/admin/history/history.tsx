import { NativeSelect, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'

import { templatesQuery } from '../../../admin/queries.ts'
import { Page } from '../../../ui/page.tsx'
import { Empty } from '../../../ui/states.tsx'
import { useTyped } from '../../../ui/use-typed.ts'
import { VirtualRows } from '../../../ui/virtual-rows.tsx'
import { ExportButton } from './export-button.tsx'
import { historyQuery, type Filters } from './history-query.ts'
import { HistoryHead, HistoryRow } from './history-row.tsx'
import classes from './history.module.css'

const from = '/shell/audit-read/history'

const statuses = [
  { value: '', label: 'All' },
  { value: 'pending', label: 'Pending' },
  { value: 'approved', label: 'Approved' },
  { value: 'denied', label: 'Denied' },
  { value: 'expired', label: 'Expired' },
  { value: 'revoked', label: 'Revoked' },
]

/** Every request there ever was, newest first; the filters are in the address. */
export function History() {
  const filters = useSearch({ from })
  const query = useInfiniteQuery(historyQuery(filters))
  return (
    <Page
      title="History"
      about="Every request of everybody, newest first."
      actions={<ExportButton filters={filters} />}
      wide
    >
      <FilterBar filters={filters} />
      <div>
        {query.data?.pages[0]?.data.length !== 0 && <HistoryHead />}
        <VirtualRows
          query={query}
          label="Requests"
          rowHeight={60}
          empty={<NoRequests isFiltered={Object.keys(filters).length > 0} />}
        >
          {(request) => <HistoryRow request={request} />}
        </VirtualRows>
      </div>
    </Page>
  )
}

function FilterBar({ filters }: { filters: Filters }) {
  const navigate = useNavigate({ from: '/history' })
  const { data: templates = [] } = useQuery(templatesQuery)
  const { status = '', template_id = '' } = filters
  const set = (changes: Filters) => {
    const search = { ...filters, ...changes }
    const given = Object.entries(search).filter(([, value]) => value !== '' && value !== undefined)
    void navigate({ search: Object.fromEntries(given), replace: true })
  }
  const isKnown = template_id === '' || templates.some(({ id }) => id === template_id)
  return (
    <search className={classes.filters} aria-label="Filters">
      <NativeSelect
        label="Status"
        data={statuses}
        value={status}
        onChange={({ currentTarget }) => set({ status: currentTarget.value })}
      />
      <NativeSelect
        label="Template"
        value={template_id}
        onChange={({ currentTarget }) => set({ template_id: currentTarget.value })}
        data={[
          { value: '', label: 'All' },
          ...templates.map(({ id, name }) => ({ value: id, label: name })),
          ...(isKnown ? [] : [{ value: template_id, label: '(deleted template)' }]),
        ]}
      />
      <RequesterInput value={filters.requester ?? ''} onChange={(requester) => set({ requester })} />
      <DayInput label="Held from" day={filters.held_from} onChange={(held_from) => set({ held_from })} />
      <DayInput label="Held to" day={filters.held_to} onChange={(held_to) => set({ held_to })} />
    </search>
  )
}

/** The server is asked when the typing pauses, not at every letter. */
const patienceMs = 300

/** Who had access on a day between the two. */
function DayInput({
  label,
  day = '',
  onChange,
}: {
  label: string
  day: string | undefined
  onChange: (day: string) => void
}) {
  const [text, type] = useTyped(day, onChange, patienceMs)
  return (
    <TextInput
      type="date"
      label={label}
      value={text}
      onChange={({ currentTarget }) => type(currentTarget.value)}
    />
  )
}

function RequesterInput({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, type] = useTyped(value, onChange, patienceMs)
  return (
    <TextInput
      type="search"
      label="Requester"
      placeholder="Part of the e-mail"
      value={text}
      onChange={({ currentTarget }) => type(currentTarget.value)}
    />
  )
}

function NoRequests({ isFiltered }: { isFiltered: boolean }) {
  if (!isFiltered)
    return <Empty title="Nobody has asked for anything yet.">Requests stand here once they are made.</Empty>
  return (
    <Empty title="No request fits these filters.">
      <Link to="/history">Show all of them</Link>
    </Empty>
  )
}
