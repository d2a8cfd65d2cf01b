import type { AccessRequest } from '../../../domain/access-request.ts'
import { PrivilegeMark } from './marks.tsx'
import classes from './mappings.module.css'
import { legible } from './words.tsx'

/** What exactly is granted: each mapping with the claim that a token then carries, and how much it allows. */
export function Mappings({ mappings }: { mappings: AccessRequest['mappings'] }) {
  if (mappings.length === 0) return <>Membership in the temporary group alone</>
  return (
    <ul className={classes.mappings}>
      {mappings.map(({ id, name, claim, value, privilege_level }) => (
        <li key={id}>
          <span>{name}</span>
          <code>{`${claim} = ${legible(value)}`}</code>
          <PrivilegeMark level={privilege_level} />
        </li>
      ))}
    </ul>
  )
}
