import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams, useSearch } from '@tanstack/react-router'

import type { ScriptTask } from '../../../../../domain/script-task.ts'
import { Conflict } from '../../../admin/conflict.tsx'
import { Opened } from '../../../admin/opened.tsx'
import { scriptQuery, type Versioned } from '../../../admin/queries.ts'
import { useEdit } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { queryClient } from '../../../api/query-client.ts'
import { Page } from '../../../ui/page.tsx'
import { Deliveries } from './deliveries.tsx'
import { Runs } from './runs.tsx'
import { draftOfScript, fieldsOf } from './script-draft.ts'
import { ScriptForm } from './script-form.tsx'
import { ScriptActions, ScriptParts, ScriptState } from './script-parts.tsx'
import { TestRun } from './test-run.tsx'
import { Versions } from './versions.tsx'

export function EditScript() {
  const { taskId } = useParams({ from: '/shell/scripts-manage/scripts/$taskId' })
  const query = useQuery(scriptQuery(taskId))
  return (
    <Opened query={query} title="Script" list={{ to: '/scripts', label: 'the scripts' }}>
      {(loaded) => <Editor key={taskId} loaded={loaded} />}
    </Opened>
  )
}

function Editor({ loaded }: { loaded: Versioned<ScriptTask> }) {
  const { part = 'script' } = useSearch({ from: '/shell/scripts-manage/scripts/$taskId' })
  const { id } = loaded.resource
  const read = () => queryClient.fetchQuery({ ...scriptQuery(id), staleTime: 0 })
  const edit = useEdit({
    loaded,
    toDraft: draftOfScript,
    write: (draft, etag) =>
      send('PUT /scheduled-tasks/{id}', { params: { id }, body: fieldsOf(draft), if_match: etag }),
    keys: ['scripts'],
  })
  const { form, base } = edit
  return (
    <Page title={base.name} about={`Version ${base.version}`} actions={<ScriptActions task={base} />} wide>
      <ScriptState task={base} />
      <ScriptParts task_id={id} part={part} />
      {/* Kept while another part is looked at: what is written would be lost. */}
      <Stack gap="xl" hidden={part !== 'script'} display={part === 'script' ? undefined : 'none'}>
        <ScriptForm form={form} isNew={false} />
        <Conflict edit={edit} read={read} />
        <TestRun fieldsNow={() => fieldsOf(form.draft)} />
      </Stack>
      {part === 'runs' && <Runs task={base} script={form.draft.script} />}
      {part === 'deliveries' && <Deliveries task_id={id} />}
      {part === 'versions' && <Versions task={base} onReverted={() => void read().then(edit.startAnew)} />}
    </Page>
  )
}
