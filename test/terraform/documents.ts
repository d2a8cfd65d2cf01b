import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { projectRoot } from '../../bin/config.ts'
import { moduleFolder } from '../../bin/testing/terraform-provider.ts'
import type { Stage } from './stage.ts'
import { done, expectNoChange, forget, idOf, nothing, resourcesOf } from './steps.ts'
import type { Resource } from './steps.ts'
import type { Workspace } from './workspace.ts'

const readFolder = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]))
const eventLogger = path.join(projectRoot, 'scripts', 'access_request_event_logger.ts')

/** What the documentation says of a template of which it names nothing but what it has to. */
const defaults = {
  description: '',
  mapping_ids: [],
  allowed_durations: [],
  approver_group_ids: [],
  allowed_group_ids: [],
  prefer_requester_groups: false,
  require_justification: true,
  auto_approve: false,
  notification_policy: 'all',
  notification_count: 1,
  escalation_after_mins: null,
  escalation_group_id: null,
  custom_fields: [],
  trigger_task_failure_mode: 'ignore',
}

/** A secret is named with the version whose value it has. */
const importId = ({ values }: Resource) =>
  [values['id'], values['value_wo_version'] ?? []].flat().map(String).join('/')

export function describeDocuments(stage: () => Stage): void {
  describe('the two documents that the resources are known by', () => {
    let workspace: Workspace

    beforeAll(async () => {
      const files = {
        ...readFolder(path.join(moduleFolder, 'examples', 'demo')),
        'scripts/access_request_event_logger.go': readFileSync(eventLogger, 'utf8'),
      }
      workspace = await stage().workspace(files, { TF_VAR_change_token: 'the value of a token' })
    })

    test('are applied as they are beside what the demo organisation has, with their defaults', async () => {
      const { changes } = done(await workspace.apply())
      expect(changes).toEqual({ ...nothing, add: 4, import: 6, change: 1 })
      const id = idOf(workspace, 'justiam_access_request_template.db_access')
      const task = idOf(workspace, 'justiam_scheduled_task.access_logger')
      const { body } = await stage().admin.call('GET', `/access-request-templates/${id}`)
      expect(body).toMatchObject({ name: 'Database Read Access', ...defaults, trigger_task_id: task })
    })

    test('need no second apply', () => expectNoChange(workspace))

    test('are imported by id, and nothing is to be changed then', async () => {
      const resources = resourcesOf(workspace)
      await forget(workspace, resources)
      const blocks = resources.map(
        (resource) => `import {\n  to = ${resource.address}\n  id = "${importId(resource)}"\n}\n`,
      )
      workspace.write({ 'imports.tf': blocks.join('') })
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, import: 10 })
      workspace.remove('imports.tf')
      await expectNoChange(workspace)
    })

    test('are destroyed', async () => {
      const id = idOf(workspace, 'justiam_access_request_template.db_readonly')
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 10 })
      expect((await stage().admin.call('GET', `/access-request-templates/${id}`)).status).toBe(404)
    })
  })
}
