import { Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { CatalogueEntry } from '../../../../domain/catalogue.ts'
import { Facts } from '../../ui/facts.tsx'
import { LinkButton } from '../../ui/link-button.tsx'
import { Mappings } from '../../ui/mappings.tsx'
import { Words } from '../../ui/words.tsx'
import classes from './catalogue.module.css'
import { howLong, whoDecides } from './terms.ts'

/** One thing that can be asked for: what it grants, for how long, who decides. */
export function CatalogueCard({ entry }: { entry: CatalogueEntry }) {
  const pending = entry.subjects[0]?.pending_request_id ?? null
  return (
    <article className={classes.card}>
      <div className={classes.top}>
        <Title order={2} size="h4">
          {entry.name}
        </Title>
        <LinkButton
          to="/request-access/$templateId"
          params={{ templateId: entry.id }}
          aria-label={`Request ${entry.name}`}
        >
          Request
        </LinkButton>
      </div>
      {entry.description !== '' && (
        <div className={classes.description}>
          <Words>{entry.description}</Words>
        </div>
      )}
      <Facts
        facts={[
          [`Grants in ${entry.app_name}`, <Mappings key="mappings" mappings={entry.mappings} />],
          ['For', howLong(entry)],
          ['Decided by', whoDecides(entry)],
        ]}
      />
      {pending !== null && (
        <Text>
          You have asked for this:{' '}
          <Link to="/requests/$requestId" params={{ requestId: pending }}>
            your request is pending
          </Link>
          .
        </Text>
      )}
    </article>
  )
}
