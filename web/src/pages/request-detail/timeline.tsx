import { Text, Title } from '@mantine/core'

import type { AccessRequestDetail } from '../../../../domain/access-request.ts'
import { Instant } from '../../ui/instant.tsx'
import { Words } from '../../ui/words.tsx'
import { lastsUntil, saidWith, sentenceOf } from './entries.ts'
import classes from './request-detail.module.css'

/** Everything that happened, oldest first. */
export function Timeline({ request: { timeline } }: { request: AccessRequestDetail }) {
  return (
    <section className={classes.section} aria-labelledby="timeline">
      <Title order={2} size="h4" id="timeline">
        Timeline
      </Title>
      <ol className={classes.entries}>
        {timeline.map((entry, index) => {
          const said = saidWith(entry)
          const lasts = lastsUntil(entry)
          return (
            <li key={`${entry.at} ${entry.kind} ${index}`} className={classes.entry}>
              {sentenceOf(entry)}
              {said !== undefined && <Words>{`“${said}”`}</Words>}
              {lasts !== undefined && (
                <div>
                  {lasts.what} until <Instant at={lasts.at} />.
                </div>
              )}
              <Text size="sm" c="dimmed" component="div">
                <Instant at={entry.at} />
              </Text>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
