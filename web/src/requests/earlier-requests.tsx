import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { earlierQuery } from '../api/queries.ts'
import { Ago } from '../ui/instant.tsx'
import { StatusMark } from '../ui/marks.tsx'
import { Arriving } from '../ui/states.tsx'
import classes from './earlier-requests.module.css'

/** What the same person asked for before, latest first. */
export function EarlierRequests({ request_id }: { request_id: string }) {
  const earlier = useQuery(earlierQuery(request_id))
  return (
    <Arriving query={earlier} rows={1}>
      {({ data, next_cursor }) =>
        data.length === 0 ? (
          <Text c="dimmed">This is their first request.</Text>
        ) : (
          <>
            <ul className={classes.earlier}>
              {data.map((request) => (
                <li key={request.id}>
                  <StatusMark request={request} />
                  <Link to="/requests/$requestId" params={{ requestId: request.id }}>
                    {request.template_name}
                  </Link>
                  <Text size="sm" c="dimmed" component="span">
                    <Ago at={request.created_at} />
                  </Text>
                </li>
              ))}
            </ul>
            {next_cursor !== null && <Text c="dimmed">and older ones</Text>}
          </>
        )
      }
    </Arriving>
  )
}
