import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'

import type { CatalogueEntry } from '../../../../domain/catalogue.ts'
import { catalogueQuery, requestQuery } from '../../api/queries.ts'
import { Facts } from '../../ui/facts.tsx'
import { Mappings } from '../../ui/mappings.tsx'
import { Page } from '../../ui/page.tsx'
import { Arriving, Empty, Loading } from '../../ui/states.tsx'
import { Words } from '../../ui/words.tsx'
import { draftFrom, emptyDraft } from './draft.ts'
import { Fields } from './fields.tsx'
import { whoDecides } from './terms.ts'

export function RequestForm() {
  const { templateId } = useParams({ from: '/shell/request-access/$templateId' })
  const catalogue = useQuery(catalogueQuery)
  return (
    <Arriving query={catalogue}>
      {(entries) => {
        const entry = entries.find(({ id }) => id === templateId)
        if (entry === undefined) return <Gone />
        return entry.may_request ? <Form key={entry.id} entry={entry} /> : <ForOthers entry={entry} />
      }}
    </Arriving>
  )
}

function Gone() {
  return (
    <Page title="Request access">
      <Empty title="This is not offered any more.">
        See <Link to="/request-access">what can be asked for</Link> today.
      </Empty>
    </Page>
  )
}

function ForOthers({ entry: { name } }: { entry: CatalogueEntry }) {
  return (
    <Page title={name}>
      <Empty title="This is for other groups than yours.">
        An admin of Hallpass decides who may ask for it. See{' '}
        <Link to="/request-access">what you can ask for</Link>.
      </Empty>
    </Page>
  )
}

/** Asking again begins with what was asked before. */
function Form({ entry }: { entry: CatalogueEntry }) {
  const { again } = useSearch({ from: '/shell/request-access/$templateId' })
  const before = useQuery({ ...requestQuery(again ?? ''), enabled: again !== undefined })
  return (
    <Page
      title={entry.name}
      about={entry.description === '' ? undefined : <Words>{entry.description}</Words>}
    >
      <Facts
        facts={[
          [`Grants in ${entry.app_name}`, <Mappings key="mappings" mappings={entry.mappings} />],
          ['Decided by', whoDecides(entry)],
        ]}
      />
      {before.isLoading ? (
        <Loading />
      ) : (
        <Fields entry={entry} draft={before.data ? draftFrom(entry, before.data) : emptyDraft(entry)} />
      )}
    </Page>
  )
}
