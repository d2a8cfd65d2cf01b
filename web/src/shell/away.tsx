import classes from './away.module.css'

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** Said as long as nothing new arrives: what is on the screen may be old. Its place is always there, so that it is heard. */
export function Away({ since }: { since: number | null }) {
  return (
    <div role="status" className={classes.away}>
      {since !== null && (
        <p>
          No news from the server since{' '}
          <time dateTime={new Date(since).toISOString()} className="tabular">
            {clock.format(since)}
          </time>
          . What you see may be out of date; it is brought up to date as soon as the server answers again.
        </p>
      )}
    </div>
  )
}
