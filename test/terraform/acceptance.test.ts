import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { moduleFolder } from '../../bin/testing/terraform-provider.ts'
import type { Caller } from '../setup/product.ts'
import { submit } from '../setup/product.ts'
import { findMissingPrograms } from './programs.ts'
import { requirements, setStage } from './stage.ts'
import type { Stage } from './stage.ts'
import type { Diagnostic, Outcome, Workspace } from './workspace.ts'

const missing = await findMissingPrograms()
if (missing.length > 0)
  process.stderr.write(
    `  The tests of the Terraform provider are skipped: there is no ${missing.join(', no ')} here.\n`,
  )

const half_an_hour = 1_800_000
const minutes = { timeout: 300_000 }

let stage: Stage
let admin: Caller

const readFixture = (name: string) => readFileSync(path.join(import.meta.dirname, 'fixtures', name), 'utf8')
const examples = path.join(moduleFolder, 'examples')

const nothing = { add: 0, change: 0, import: 0, remove: 0 }

/** @throws with what Terraform said, where it did not do it. */
function done(outcome: Outcome, codes: number[] = [0]): Outcome {
  if (!codes.includes(outcome.code)) throw new Error(outcome.output)
  return outcome
}

const expectNoChange = async (workspace: Workspace) =>
  expect(done(await workspace.plan(), [0, 2])).toMatchObject({ code: 0, changes: nothing })

const errorsOf = ({ diagnostics }: Outcome): Diagnostic[] =>
  diagnostics.filter(({ severity }) => severity === 'error')

type Resource = { address: string; type: string; mode: string; values: Record<string, unknown> }

async function resourcesOf(workspace: Workspace): Promise<Resource[]> {
  const { output } = done(await workspace.run('show', '-json'))
  const { values } = JSON.parse(output) as { values?: { root_module: { resources: Resource[] } } }
  return (values?.root_module.resources ?? []).filter(({ mode }) => mode === 'managed')
}

async function idOf(workspace: Workspace, address: string): Promise<string> {
  const found = (await resourcesOf(workspace)).find((resource) => resource.address === address)
  return String(found?.values['id'])
}

const forget = async (workspace: Workspace, resources: Resource[]) =>
  done(await workspace.run('state', 'rm', ...resources.map(({ address }) => address)))

/** Changes some members of an object, as somebody would by the API. */
async function editByHand(item: string, changes: Record<string, unknown>, readOnly: string[]) {
  const { body } = await admin.call('GET', item)
  const kept = Object.entries(body).filter(
    ([name]) => !['id', 'created_at', 'updated_at', ...readOnly].includes(name),
  )
  const { status } = await admin.call('PUT', item, { ...Object.fromEntries(kept), ...changes })
  expect(status).toBe(200)
}

describe.skipIf(missing.length > 0)('the Terraform provider', minutes, () => {
  beforeAll(async () => {
    stage = await setStage()
    admin = stage.admin
  }, half_an_hour)
  afterAll(() => stage?.product.close())

  describe('the two documents of the product’s documentation', () => {
    let workspace: Workspace

    beforeAll(async () => {
      // The demo organisation has a template of that name.
      const { body } = await admin.call<{ data: { id: string }[] }>('GET', '/access-request-templates')
      for (const { id } of body.data) await admin.call('DELETE', `/access-request-templates/${id}`)
      workspace = await stage.workspace({
        'referents.tf': readFixture('referents.tf'),
        'database-read-only.tf': readFixture('database-read-only.tf'),
        'event-logger.tf': readFixture('event-logger.tf'),
        'scripts/access_request_event_logger.go': readFileSync(
          path.join(import.meta.dirname, '../../scripts/access_request_event_logger.ts'),
          'utf8',
        ),
      })
    }, minutes.timeout)

    test('are applied as they are, with the defaults of the documentation', async () => {
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, add: 8 })
      const id = await idOf(workspace, 'justiam_access_request_template.db_access')
      expect((await admin.call('GET', `/access-request-templates/${id}`)).body).toMatchObject({
        name: 'Database Read Access',
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
        trigger_task_id: await idOf(workspace, 'justiam_scheduled_task.access_logger'),
        trigger_task_failure_mode: 'ignore',
      })
    })

    test('need no second apply', () => expectNoChange(workspace))

    test('are imported by id, and nothing is to be changed then', async () => {
      const resources = await resourcesOf(workspace)
      await forget(workspace, resources)
      const blocks = resources.map(
        ({ address, values }) => `import {\n  to = ${address}\n  id = "${String(values['id'])}"\n}\n`,
      )
      workspace.write({ 'imports.tf': blocks.join('') })
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, import: 8 })
      workspace.remove('imports.tf')
      await expectNoChange(workspace)
    })

    test('are destroyed', async () => {
      const id = await idOf(workspace, 'justiam_access_request_template.db_readonly')
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 8 })
      expect((await admin.call('GET', `/access-request-templates/${id}`)).status).toBe(404)
    })
  })

  describe('the examples of its documentation', () => {
    let workspace: Workspace
    const secret = 'a value that nobody may see'

    const filesNamed = (name: string) =>
      Object.fromEntries(
        globSync(`*/*/${name}`, { cwd: examples }).map((file) => [
          `${path.basename(path.dirname(file))}-${name}`,
          readFileSync(path.join(examples, file), 'utf8'),
        ]),
      )

    beforeAll(async () => {
      await admin.call('POST', '/access-request-templates', {
        name: 'Database read-only access',
        app_id: (await admin.call<{ data: { id: string }[] }>('GET', '/applications')).body.data[0]?.id,
      })
      workspace = await stage.workspace(
        {
          'provider.tf': readFileSync(path.join(examples, 'provider', 'provider.tf'), 'utf8'),
          ...filesNamed('resource.tf'),
          ...filesNamed('data-source.tf'),
        },
        { TF_VAR_hallpass_endpoint: stage.product.url, TF_VAR_change_token: secret },
      )
    }, minutes.timeout)

    test('are applied, each resource and each data source', async () => {
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, add: 8 })
      await expectNoChange(workspace)
    })

    test('leave the value of the secret in no plan and no state', async () => {
      done(await workspace.plan('-replace=justiam_secret.change_token', '-out=plan'), [2])
      const { output } = done(await workspace.run('show', '-json', 'plan'))
      expect(output).toContain('change_token')
      expect(output).not.toContain(secret)
      expect(workspace.state()).toContain('CHANGE_TOKEN')
      expect(workspace.state()).not.toContain(secret)
    })

    test('are imported by name with the commands that they show', async () => {
      const resources = (await resourcesOf(workspace)).filter(
        ({ address }) => !address.endsWith('.weekly_count'),
      )
      await forget(workspace, resources)
      for (const script of Object.values(filesNamed('import.sh'))) {
        const [, address = '', id = ''] = /^terraform import (\S+) "?(.*?)"?$/m.exec(script) ?? []
        done(await workspace.run('import', '-input=false', address, id))
      }
      await expectNoChange(workspace)
    })

    test('are imported by name with the blocks that they show', async () => {
      const resources = (await resourcesOf(workspace)).filter(
        ({ address }) => !address.endsWith('.weekly_count'),
      )
      await forget(workspace, resources)
      workspace.write(filesNamed('import-by-string-id.tf'))
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, import: 7 })
    })

    test('are destroyed', async () => {
      workspace.remove(...Object.keys(filesNamed('import-by-string-id.tf')))
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 8 })
    })
  })
})
