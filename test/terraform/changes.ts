import { beforeAll, describe, expect, test } from 'vitest'

import type { CustomField } from '../../domain/custom-fields.ts'
import { submit } from '../setup/product.ts'
import { requirements } from './stage.ts'
import type { Stage } from './stage.ts'
import { done, editByHand, errorsOf, expectNoChange, factsOfTemplates, idOf, nothing } from './steps.ts'
import type { Workspace } from './workspace.ts'

const shop = (fields: string, app = 'shop') => `${requirements}
resource "justiam_application" "shop" {
  name = "Shop"
  slug = "shop"
}
resource "justiam_application" "warehouse" {
  name = "Warehouse"
  slug = "warehouse"
}
resource "justiam_group" "clerks" {
  name        = "clerks"
  description = "They sell."
}
resource "justiam_scheduled_task" "greeting" {
  name   = "Greeting"
  script = "export const run = () => 'hello'"
  config = { tone = "friendly" }
}
resource "justiam_access_request_template" "till" {
  name               = "Open the till"
  app_id             = justiam_application.${app}.id
  approver_group_ids = [justiam_group.clerks.id]
  custom_fields      = ${fields}
}
`
const till = 'justiam_access_request_template.till'
const fields = `jsonencode([{ label = "Till", type = "text" }, { label = "Reason", type = "textarea" }])`

export function describeChanges(stage: () => Stage): void {
  describe('what is managed', () => {
    let workspace: Workspace
    const pathOf = (address: string, collection: string) => `/${collection}/${idOf(workspace, address)}`
    const templatePath = () => pathOf(till, 'access-request-templates')
    const customFields = async () =>
      (await stage().admin.call<{ custom_fields: CustomField[] }>('GET', templatePath())).body.custom_fields

    beforeAll(async () => {
      workspace = await stage().workspace({ 'main.tf': shop(fields) })
      done(await workspace.apply())
    })

    test('is put back where somebody changed it by the API', async () => {
      const { admin } = stage()
      const item = templatePath()
      await editByHand(admin, item, { custom_fields: [], auto_approve: true }, factsOfTemplates)
      const task = pathOf('justiam_scheduled_task.greeting', 'scheduled-tasks')
      await editByHand(admin, task, { config: { tone: 'rude', volume: 'loud' }, enabled: false })
      await editByHand(admin, pathOf('justiam_group.clerks', 'groups'), { description: '' })
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, change: 3 })
      expect((await admin.call('GET', item)).body).toMatchObject({ auto_approve: false })
      expect(await customFields()).toMatchObject([{ label: 'Till' }, { label: 'Reason' }])
      expect((await admin.call('GET', task)).body).toMatchObject({
        config: { tone: 'friendly' },
        enabled: true,
      })
    })

    test('is made again where somebody deleted it by the API', async () => {
      await stage().admin.call('DELETE', templatePath())
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, add: 1 })
    })

    test('does not change by another spelling of the same custom fields', async () => {
      const spelt = `<<-JSON
        [ { "type": "text", "label": "Till", "required": false, "options": [], "placeholder": "" },
          { "type": "textarea", "label": "Reason" } ]
      JSON`
      workspace.write({ 'main.tf': shop(spelt) })
      await expectNoChange(workspace)
    })

    test('keeps the id of a custom field as long as its label stays', async () => {
      const before = await customFields()
      workspace.write({
        'main.tf': shop(
          `jsonencode([{ label = "New", type = "checkbox" }, { label = "Till", type = "textarea" }])`,
        ),
      })
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, change: 1 })
      const after = await customFields()
      expect(after.map(({ label }) => label)).toEqual(['New', 'Till'])
      expect(after[1]?.id).toBe(before[0]?.id)
      expect(after[0]?.id).not.toBe(before[1]?.id)
    })

    test('is replaced where it moves to another application', async () => {
      const before = idOf(workspace, till)
      workspace.write({ 'main.tf': shop(fields, 'warehouse') })
      const outcome = done(await workspace.apply())
      expect(outcome.planned).toMatchObject([
        { resource: { addr: till }, action: 'replace', reason: 'cannot_update' },
      ])
      expect(outcome.changes).toEqual({ ...nothing, add: 1, remove: 1 })
      expect(idOf(workspace, till)).not.toBe(before)
    })

    test('is not overwritten where somebody changed it after the plan', async () => {
      const item = templatePath()
      workspace.write({ 'main.tf': shop('"[]"', 'warehouse') })
      done(await workspace.plan('-out=saved'), [2])
      await editByHand(stage().admin, item, { description: 'By hand.' }, factsOfTemplates)
      const outcome = await workspace.run('apply', '-json', 'saved')
      expect(outcome.code).toBe(1)
      expect(errorsOf(outcome)).toEqual([
        expect.stringMatching(/was not changed.*Somebody else changed this template/),
      ])
      expect((await stage().admin.call('GET', item)).body).toMatchObject({ description: 'By hand.' })
      expect(await customFields()).toHaveLength(2)
    })

    test('is not deleted where somebody changed it after the plan', async () => {
      done(await workspace.plan('-destroy', `-target=${till}`, '-out=saved'), [2])
      await editByHand(stage().admin, templatePath(), { description: 'Mine.' }, factsOfTemplates)
      const outcome = await workspace.run('apply', '-json', 'saved')
      expect(errorsOf(outcome)).toEqual([
        expect.stringMatching(/was not deleted.*Somebody else changed this template/),
      ])
    })

    test('is not deleted while a request uses it, and Terraform says so', async () => {
      const alice = await stage().product.as('alice')
      const custom = Object.fromEntries((await customFields()).map(({ id }) => [id, 'yes']))
      const request = await submit(alice, idOf(workspace, till), { custom_answers: custom })
      const outcome = await workspace.destroy(`-target=${till}`)
      expect(outcome.code).toBe(1)
      expect(errorsOf(outcome)).toEqual([
        expect.stringMatching(
          /template "Open the till" was not deleted.*1 pending or approved request.*revoke them, or wait/,
        ),
      ])
      await alice.call('POST', `/access-requests/${request.id}/revoke`)
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 5 })
    })
  })
}
