import { beforeAll, describe, expect, test } from 'vitest'

import { requirements } from './stage.ts'
import type { Stage } from './stage.ts'
import { done, errorsOf, nothing, warningsOf } from './steps.ts'
import type { Diagnostic, Workspace } from './workspace.ts'

const uuid = '01a206fa-c26e-71f7-accd-11304130632c'

const task = (name: string, more: string, script = "export const run = () => ''") => `
resource "justiam_scheduled_task" "${name}" {
  name   = "${name}"
  script = "${script}"
  ${more}
}
`
const template = (name: string, more: string) => `
resource "justiam_access_request_template" "${name}" {
  name   = "${name}"
  app_id = "${uuid}"
  ${more}
}
`
const mapping = (name: string, claim: string) => `
resource "justiam_app_mapping" "${name}" {
  app_id = "${uuid}"
  name   = "${name}"
  claim  = "${claim}"
  value  = "x"
}
`

/** A configuration that Terraform alone refuses, and what it says of it. */
const refused: [what: string, block: string, says: RegExp][] = [
  ['half an escalation', template('half', 'escalation_after_mins = 30'), /both or neither/],
  ['block without a script', template('block', 'trigger_task_failure_mode = "block"'), /trigger_task_id/],
  ['an unknown mode', template('mode', 'trigger_task_failure_mode = "crash"'), /"ignore" "retry" "block"/],
  ['an unknown policy', template('policy', 'notification_policy = "loudest"'), /"round_robin"/],
  ['nobody to notify', template('count', 'notification_count = 0'), /between 1 and/],
  ['a duration of nothing', template('duration', 'allowed_durations = [60, 0]'), /between 1 and 5256000/],
  ['half a minute', template('fraction', 'allowed_durations = [0.5]'), /whole number|integer/i],
  ['an id that is none', template('id', 'mapping_ids = ["reader"]'), /UUID/],
  ['an id that is null', template('null', 'mapping_ids = [null]'), /contains a null value/],
  ['a duration twice', template('twice', 'allowed_durations = [60, 60]'), /duplicate/i],
  ['no JSON', template('json', 'custom_fields = "nothing"'), /JSON array/],
  [
    'an unknown type of field',
    template('type', `custom_fields = jsonencode([{ label = "A", type = "date" }])`),
    /type must be one of text/,
  ],
  [
    'options that are missing',
    template('options', `custom_fields = jsonencode([{ label = "A", type = "select" }])`),
    /options are needed/,
  ],
  [
    'an unknown member of a field',
    template('member', `custom_fields = jsonencode([{ label = "A", type = "text", help = "" }])`),
    /unknown field "help"/,
  ],
  [
    'a label twice',
    template(
      'label',
      `custom_fields = jsonencode([{ label = "A", type = "text" }, { label = "A", type = "checkbox" }])`,
    ),
    /label "A" twice/,
  ],
  ['a timeout of more than five minutes', task('slow', 'timeout_seconds = 301'), /between 1 and 300/],
  ['a null in the config', task('hollow', 'config = { a = null }'), /config = .*contains a null value/],
  ['cron without an expression', task('clock', 'schedule_type = "cron"'), /cron_expression is needed/],
  ['an interval without seconds', task('pause', 'schedule_type = "interval"'), /interval_seconds is needed/],
  [
    'seconds without an interval',
    task('stray', 'interval_seconds = 60'),
    /belongs to schedule_type interval/,
  ],
  [
    'a day that never comes',
    task('never', 'schedule_type = "cron"\n  cron_expression = "0 0 31 2 *"'),
    /day that never comes/,
  ],
  ['an unknown event', task('event', 'events = ["access_request.lost"]'), /access_request\.submitted/],
  [
    'an address instead of a host',
    task('host', 'egress_hosts = ["https://example.com/"]'),
    /host, \*\.host or host:port/,
  ],
  ['a claim that tokens use otherwise', mapping('sub', 'sub'), /reserved claim name/],
  ['a claim that is none', mapping('claim', 'no claim'), /letters, digits/],
  ['a reserved group', 'resource "justiam_group" "reserved" {\n  name = "__access_req_1"\n}\n', /reserved/],
  [
    'a name with a space behind',
    'resource "justiam_group" "space" {\n  name = "clerks "\n}\n',
    /begin or end with a space/,
  ],
  [
    'a slug with capitals',
    'resource "justiam_application" "slug" {\n  name = "A"\n  slug = "A"\n}\n',
    /lower-case letters/,
  ],
  [
    'a secret of three characters',
    'resource "justiam_secret" "short" {\n  name = "SHORT"\n  value_wo = "abc"\n  value_wo_version = 1\n}\n',
    /4 to 32768 characters/,
  ],
  [
    'a date that is none',
    `resource "justiam_group_membership" "date" {\n  group_id = "${uuid}"\n  identity_id = "${uuid}"\n  expires_at = "tomorrow"\n}\n`,
    /RFC 3339/,
  ],
  [
    'two ways to look up',
    `data "justiam_group" "two" {\n  id = "${uuid}"\n  name = "x"\n}\n`,
    /Exactly one|one \(and only one\)/,
  ],
]

export function describeRefusals(stage: () => Stage): void {
  describe('before it plans, it refuses', () => {
    let found: string[]

    beforeAll(async () => {
      const workspace = await stage().workspace({
        'main.tf': requirements + refused.map(([, block]) => block).join(''),
      })
      const { output } = await workspace.run('validate', '-json')
      const { diagnostics } = JSON.parse(output) as { diagnostics: Diagnostic[] }
      found = diagnostics.map(({ detail, snippet }) =>
        `${snippet?.code ?? ''} ${detail}`.replaceAll(/\s+/g, ' '),
      )
    })

    test.each(refused)('%s', (_, __, says) => {
      expect(found).toContainEqual(expect.stringMatching(says))
    })

    test('nothing else', () => {
      expect(found).toHaveLength(refused.length)
    })
  })

  describe('what the server refuses is told where it stands', () => {
    let workspace: Workspace
    let errors: string[]

    beforeAll(async () => {
      const blocks = [
        task('broken', '', 'export const run = () => {'),
        task(
          'nowhere',
          'schedule_type = "cron"\n  cron_expression = "0 9 * * 1"\n  timezone = "Europe/Nowhere"',
        ),
        `resource "justiam_group" "taken" {\n  name = "dba-team"\n}\n`,
        `resource "justiam_application" "lost" {\n  name = "Lost"\n  slug = "lost"\n}\n`,
        template('lost', `approver_group_ids = ["${uuid}"]`).replace(
          `"${uuid}"\n`,
          'justiam_application.lost.id\n',
        ),
      ]
      workspace = await stage().workspace({ 'main.tf': requirements + blocks.join('') })
      errors = errorsOf(await workspace.apply())
    })

    test.each([
      ['a script that does not compile', /task.broken \| script = .*\(line 1, column \d+\)/],
      ['a time zone that there is not', /task.nowhere \| timezone = .*IANA/],
      [
        'a name that is taken, and that it can be imported',
        /group.taken \| name = .*is taken.*terraform import justiam_group/,
      ],
      ['a group that there is not', /template.lost \| approver_group_ids = .*does not exist/],
    ])('%s', (_, says) => {
      expect(errors).toContainEqual(expect.stringMatching(says))
    })

    test('and what could be made is there', async () => {
      expect(errors).toHaveLength(4)
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 1 })
    })
  })

  describe('the provider refuses', () => {
    const group = `${requirements}data "justiam_scheduled_task" "one" {\n  name = "access_request_event_logger"\n}\n`

    test.each([
      ['no credential', { HALLPASS_TOKEN: '' }, /No credential/],
      ['no endpoint', { HALLPASS_ENDPOINT: '' }, /No endpoint/],
      ['half a credential', { HALLPASS_CLIENT_ID: uuid }, /both or neither/],
      ['a token that is none', { HALLPASS_TOKEN: 'x' }, /token or client credentials/],
      ['a token with a line break', { HALLPASS_TOKEN: 'x\n' }, /trimspace/],
      ['a CA file that is not there', { HALLPASS_CA_FILE: '/nowhere.pem' }, /CA file cannot be read/],
    ])('%s', async (_, env, says) => {
      const workspace = await stage().workspace({ 'main.tf': group }, env)
      expect(errorsOf(await workspace.plan())).toContainEqual(expect.stringMatching(says))
    })

    test('a caller without the permission, and says which it needs', async () => {
      const alice = await stage().product.as('alice')
      const workspace = await stage().workspace({ 'main.tf': group }, { HALLPASS_TOKEN: alice.token })
      expect(errorsOf(await workspace.plan())).toContainEqual(
        expect.stringMatching(/needs the permission \w+\.manage/),
      )
    })
  })

  test('a block script that could not do as one is warned of', async () => {
    const made = task('slow', 'timeout_seconds = 60\n  enabled = false')
    const workspace = await stage().workspace({ 'main.tf': requirements + made })
    done(await workspace.apply())
    const block = 'trigger_task_failure_mode = "block"\n  trigger_task_id = justiam_scheduled_task.slow.id'
    workspace.write({ 'template.tf': template('guarded', block) })
    const warnings = warningsOf(await workspace.plan())
    expect(warnings).toContainEqual(expect.stringMatching(/an approval waits for at most 30/))
    expect(warnings).toContainEqual(expect.stringMatching(/is disabled/))
    workspace.remove('template.tf')
    done(await workspace.destroy())
  })
}
