import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { eventually } from '../setup/product.ts'
import { honest, openProxy } from './proxy.ts'
import type { Proxy, Rule } from './proxy.ts'
import { requirements } from './stage.ts'
import type { Stage } from './stage.ts'
import { done, errorsOf, expectNoChange, nothing, resourcesOf } from './steps.ts'
import type { Workspace } from './workspace.ts'

const group = (description: string, limit = '') => `${requirements}
resource "justiam_group" "far" {
  name        = "far away"
  description = "${description}"
  ${limit}
}
`
const page = '<html><h1>Sign in first</h1></html>'
const always =
  (status: number): Rule =>
  () => ({ status, page })
const losing =
  (methods: string, times: number): Rule =>
  ({ method }) =>
    method === methods && times-- > 0 ? { status: 502, page } : undefined

export function describeBetween(stage: () => Stage): void {
  describe('behind a proxy', () => {
    let proxy: Proxy
    let workspace: Workspace
    const written = (method: string) => proxy.passed.filter((call) => call.method === method)
    const groups = async () => {
      const { body } = await stage().admin.call<{ data: { name: string }[] }>('GET', '/groups?limit=200')
      return body.data.filter(({ name }) => name === 'far away').length
    }

    beforeAll(async () => {
      proxy = await openProxy(stage().product.url)
      workspace = await stage().workspace({ 'main.tf': group('one') }, { HALLPASS_ENDPOINT: proxy.url })
    })
    afterEach(() => {
      proxy.follow(honest)
      proxy.passed.length = 0
    })
    afterAll(() => proxy.close())

    test('that loses an answer, what was made is made once', async () => {
      proxy.follow(losing('POST', 1))
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, add: 1 })
      expect(written('POST').map(({ status }) => status)).toEqual([201, 201])
      expect(await groups()).toBe(1)
    })

    test('that compresses answers, what is there is changed', async () => {
      workspace.write({ 'main.tf': group('two') })
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, change: 1 })
      expect(written('PUT').map(({ status }) => status)).toEqual([200])
      await expectNoChange(workspace)
    })

    test.each([
      ['another page', 200, /not Hallpass's API/],
      ['that nothing is found', 404, /answered 404 Not Found, not by Hallpass's API/],
      ['that it lets nobody through', 403, /answered 403 Forbidden, not by Hallpass's API/],
      ['that one is to sign in', 302, /answered 302 Found/],
    ])('that says %s, nothing is taken for gone', async (_, status, says) => {
      proxy.follow(always(status))
      const outcome = await workspace.apply()
      expect(errorsOf(outcome)).toEqual([expect.stringMatching(says)])
      expect(outcome.output).not.toContain('Sign in first')
      expect(resourcesOf(workspace)).toHaveLength(1)
    })

    test('that says that it is deleted, it is not taken for deleted', async () => {
      proxy.follow(({ method }) => (method === 'DELETE' ? { status: 200, page } : undefined))
      expect(errorsOf(await workspace.destroy())).toEqual([expect.stringMatching(/not Hallpass's API/)])
      expect(resourcesOf(workspace)).toHaveLength(1)
      proxy.follow(honest)
      expect(done(await workspace.destroy()).changes).toEqual(nothing)
      expect(resourcesOf(workspace)).toEqual([])
    })

    test('that loses every answer, what may be there is called neither made nor not', async () => {
      workspace.write({ 'main.tf': group('three', 'timeouts { create = "5s" }') })
      proxy.follow(losing('POST', Infinity))
      expect(errorsOf(await workspace.apply())).toEqual([
        expect.stringMatching(/Whether the group was created is not known.*import it/),
      ])
      await eventually('the group', async () => (await groups()) === 1)
      proxy.follow(honest)
      done(await workspace.run('import', '-input=false', 'justiam_group.far', 'far away'))
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 1 })
    })
  })
}
