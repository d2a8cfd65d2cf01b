import { beforeAll, describe, expect, test } from 'vitest'

import { requirements } from './stage.ts'
import type { Stage } from './stage.ts'
import { done, errorsOf, expectNoChange, nothing } from './steps.ts'
import type { Workspace } from './workspace.ts'

type Secret = { name: string; hosts: string[]; updated_at: string }

const secret = (version: number, hosts = '["example.com"]') => `${requirements}
variable "value" {
  type      = string
  ephemeral = true
}
resource "justiam_secret" "till" {
  name             = "TILL_KEY"
  value_wo         = var.value
  value_wo_version = ${version}
  hosts            = ${hosts}
}
`
const member = (expires_at: string) => `${requirements}
data "justiam_group" "engineering" {
  name = "engineering"
}
data "justiam_identity" "bob" {
  email = "BOB@example.com"
}
resource "justiam_group_membership" "bob" {
  group_id    = data.justiam_group.engineering.id
  identity_id = data.justiam_identity.bob.id
  ${expires_at}
}
`

export function describeSecrets(stage: () => Stage): void {
  describe('a secret', () => {
    let workspace: Workspace
    const written = async () => {
      const { body } = await stage().admin.call<{ data: Secret[] }>('GET', '/secrets')
      return body.data.find(({ name }) => name === 'TILL_KEY')
    }
    const byHand = () =>
      stage().admin.call('PUT', '/secrets/TILL_KEY', { value: 'by hand', hosts: ['example.com'] })

    beforeAll(async () => {
      workspace = await stage().workspace({ 'main.tf': secret(1) }, { TF_VAR_value: 'first' })
    })

    test('that is there already is not overwritten', async () => {
      await byHand()
      expect(errorsOf(await workspace.apply())).toEqual([
        expect.stringMatching(/is a secret TILL_KEY already.*import/),
      ])
      await stage().admin.call('DELETE', '/secrets/TILL_KEY')
      done(await workspace.apply())
    })

    test('is written again with another version, and not with another value alone', async () => {
      const before = await written()
      workspace.env['TF_VAR_value'] = 'second'
      await expectNoChange(workspace)
      workspace.write({ 'main.tf': secret(2) })
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, change: 1 })
      expect((await written())?.updated_at).not.toBe(before?.updated_at)
      await expectNoChange(workspace)
    })

    test('is written again where somebody else wrote it', async () => {
      await byHand()
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, change: 1 })
      await expectNoChange(workspace)
    })

    test('is not written over what somebody wrote after the plan', async () => {
      workspace.write({ 'main.tf': secret(3, '["other.example.com"]') })
      done(await workspace.plan('-out=saved'), [2])
      await byHand()
      const outcome = await workspace.run('apply', '-json', 'saved')
      expect(errorsOf(outcome)).toEqual([expect.stringMatching(/Somebody else changed this secret/)])
      expect((await written())?.hosts).toEqual(['example.com'])
    })

    test('has the next apply write it where it is imported without a version', async () => {
      done(await workspace.run('state', 'rm', 'justiam_secret.till'))
      done(await workspace.run('import', '-input=false', 'justiam_secret.till', 'TILL_KEY'))
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, change: 1 })
      expect((await written())?.hosts).toEqual(['other.example.com'])
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 1 })
      expect(await written()).toBeUndefined()
    })
  })

  describe('a membership', () => {
    let workspace: Workspace
    const end = new Date(Date.now() + 86_400_000).toISOString()
    const local = end.replace('Z', '+00:00')

    beforeAll(async () => {
      workspace = await stage().workspace({ 'main.tf': member(`expires_at = "${end}"`) })
      done(await workspace.apply())
    })

    test('does not change by another spelling of its end', async () => {
      workspace.write({ 'main.tf': member(`expires_at = "${local}"`) })
      await expectNoChange(workspace)
    })

    test('that would have ended already is refused', async () => {
      workspace.write({ 'main.tf': member('expires_at = "2001-01-01T00:00:00Z"') })
      expect(errorsOf(await workspace.plan())).toEqual([
        expect.stringMatching(/expires_at = .*ended already/),
      ])
    })

    test('is made anew where somebody removed it, and never ends where no end is named', async () => {
      const item = `/groups/${await groupId()}/members/${(await stage().product.as('bob')).id}`
      await stage().admin.call('DELETE', item)
      workspace.write({ 'main.tf': member('') })
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, add: 1 })
      await expectNoChange(workspace)
    })

    test('that is there already is not taken over', async () => {
      const other = await stage().workspace({ 'main.tf': member('') })
      expect(errorsOf(await other.apply())).toEqual([expect.stringMatching(/is a member already.*import/)])
      done(await workspace.destroy())
    })

    async function groupId(): Promise<string> {
      const { body } = await stage().admin.call<{ data: { id: string; name: string }[] }>(
        'GET',
        '/groups?limit=200',
      )
      return body.data.find(({ name }) => name === 'engineering')?.id ?? ''
    }
  })
}
