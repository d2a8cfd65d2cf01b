import path from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { issueClientSecret } from './machine.ts'
import { requirements } from './stage.ts'
import type { Stage } from './stage.ts'
import { done, errorsOf, nothing } from './steps.ts'

const group = `${requirements}
resource "justiam_group" "made" {
  name = "made by a machine"
}
`

export function describeCredentials(stage: () => Stage): void {
  describe('a non-human identity with client credentials', () => {
    let credential: Record<string, string>

    beforeAll(async () => {
      credential = await issueClientSecret(stage(), 'machines')
    })

    test('manages by tokens that it gets for itself', async () => {
      const workspace = await stage().workspace({ 'main.tf': group }, credential)
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, add: 1 })
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 1 })
    })

    test('is told that its secret is not the right one', async () => {
      const wrong = { ...credential, HALLPASS_CLIENT_SECRET: 'hps_wrong' }
      const workspace = await stage().workspace({ 'main.tf': group }, wrong)
      const outcome = await workspace.apply()
      expect(errorsOf(outcome)).toEqual([
        expect.stringMatching(/client credentials were refused: invalid_client/),
      ])
      expect(outcome.output).not.toContain('hps_wrong')
    })
  })

  test('terraform init finds the provider with -plugin-dir alone', async () => {
    const workspace = await stage().workspace({ 'main.tf': group })
    workspace.env['TF_CLI_CONFIG_FILE'] = path.join(workspace.folder, 'empty.tfrc')
    workspace.write({ 'empty.tfrc': '' })
    workspace.remove('.terraform.lock.hcl')
    const { output } = done(await workspace.init(`-plugin-dir=${stage().mirror.mirror}`))
    expect(output).toContain('has been successfully initialized')
  })
}
