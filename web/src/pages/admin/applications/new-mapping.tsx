import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { MappingFields, type MappingDraft } from './mapping-fields.tsx'

const empty: MappingDraft = { name: '', claim: 'roles', value: '', privilege_level: 'low' }

type NewMappingProps = { app_id: string; isAgain: boolean; onDone: () => void }

export function NewMapping({ app_id, isAgain, onDone }: NewMappingProps) {
  const { form } = useForm({
    initial: empty,
    write: (body) => send('POST /applications/{id}/mappings', { params: { id: app_id }, body }),
    keys: ['applications', 'catalogue'],
    said: 'The mapping is saved.',
    onSaved: onDone,
    takesFocus: isAgain,
  })
  return <MappingFields form={form} title="New mapping" label="Add mapping" />
}
