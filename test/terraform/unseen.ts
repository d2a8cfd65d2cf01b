import { readFileSync } from 'node:fs'
import path from 'node:path'

import { beforeAll, describe, expect, test } from 'vitest'

import { issueClientSecret } from './machine.ts'
import { requirements } from './stage.ts'
import type { Stage } from './stage.ts'
import { done } from './steps.ts'
import type { Workspace } from './workspace.ts'

const value = 'the value that no file holds'
const talkative = { TF_VAR_value: value, TF_LOG: 'TRACE', TF_LOG_PATH: 'trace.log' }
const token = /eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/

const configuration = (version: number) => `${requirements}
variable "value" {
  type      = string
  ephemeral = true
}
resource "justiam_group" "watched" {
  name        = "watched"
  description = "version ${version}"
}
resource "justiam_secret" "unseen" {
  name             = "UNSEEN_KEY"
  value_wo         = var.value
  value_wo_version = ${version}
}
`

/** Everything that Terraform says, logs, and leaves in the folder, of a life from the first plan to the end. */
async function watch(workspace: Workspace): Promise<Record<string, string>> {
  const applied = done(await workspace.apply())
  workspace.write({ 'main.tf': configuration(2) })
  const planned = done(await workspace.plan('-out=saved'), [2])
  const shown = done(await workspace.run('show', '-json', 'saved'))
  const changed = done(await workspace.apply('saved'))
  const state = workspace.state()
  const destroyed = done(await workspace.destroy())
  const log = readFileSync(path.join(workspace.folder, 'trace.log'), 'utf8')
  const said = [applied, planned, changed, destroyed].map(({ output }) => output).join('')
  return { said, shown: shown.output, state, log }
}

export function describeUnseen(stage: () => Stage): void {
  describe.each(['a token', 'client credentials'])('by %s, where all is logged that can be', (by) => {
    let seen: Record<string, string>
    let secrets: string[]

    beforeAll(async () => {
      const client: Record<string, string> =
        by === 'a token' ? {} : await issueClientSecret(stage(), 'watchers')
      secrets = [value, stage().admin.token, ...Object.values(client).slice(1)]
      seen = await watch(
        await stage().workspace({ 'main.tf': configuration(1) }, { ...client, ...talkative }),
      )
    }, 280_000)

    test('what was done is told', () => {
      expect(seen['log']).toContain('terraform-provider-justiam')
      for (const text of Object.values(seen)) expect(text).toContain('unseen')
    })

    test('no secret, no credential and no token of it is', () => {
      for (const [place, text] of Object.entries(seen)) {
        expect([place, secrets.filter((secret) => text.includes(secret))]).toEqual([place, []])
        expect([place, token.exec(text)]).toEqual([place, null])
      }
    })
  })
}
