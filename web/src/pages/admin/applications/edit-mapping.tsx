import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import type { AppMapping } from '../../../../../domain/directory.ts'
import { Conflict } from '../../../admin/conflict.tsx'
import { mappingQuery, type Versioned } from '../../../admin/queries.ts'
import { useEdit } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { queryClient } from '../../../api/query-client.ts'
import { Arriving } from '../../../ui/states.tsx'
import { MappingFields, type MappingDraft } from './mapping-fields.tsx'

const draftOf = ({ name, claim, value, privilege_level }: AppMapping): MappingDraft => ({
  name,
  claim,
  value,
  privilege_level,
})

type EditMappingProps = { mapping: AppMapping; onDone: () => void }

/** Begins with what is there now, which the list may not know yet. */
export function EditMapping({ mapping, onDone }: EditMappingProps) {
  const query = useQuery(mappingQuery(mapping))
  return (
    <Arriving query={query} rows={3}>
      {(loaded) => <Editor loaded={loaded} onDone={onDone} />}
    </Arriving>
  )
}

function Editor({ loaded, onDone }: { loaded: Versioned<AppMapping>; onDone: () => void }) {
  const { id } = loaded.resource
  const edit = useEdit({
    loaded,
    toDraft: draftOf,
    write: (body, etag) => send('PUT /app-mappings/{id}', { params: { id }, body, if_match: etag }),
    keys: ['applications', 'catalogue'],
    onSaved: onDone,
    takesFocus: true,
  })
  const read = () => queryClient.fetchQuery({ ...mappingQuery(edit.base), staleTime: 0 })
  return (
    <>
      <MappingFields form={edit.form} title={`Edit ${edit.base.name}`} label="Save mapping">
        <Button variant="default" onClick={onDone}>
          Leave it as it was
        </Button>
      </MappingFields>
      <Conflict edit={edit} read={read} />
    </>
  )
}
