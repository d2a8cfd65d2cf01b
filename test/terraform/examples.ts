import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { beforeAll, describe, expect, inject, test } from 'vitest'

import { writeDocs } from '../../bin/testing/terraform-docs.ts'
import { moduleFolder } from '../../bin/testing/terraform-provider.ts'
import { terraformProgram } from './programs.ts'
import type { Stage } from './stage.ts'
import { done, expectNoChange, forget, nothing, resourcesOf } from './steps.ts'
import type { Workspace } from './workspace.ts'

const folder = path.join(moduleFolder, 'examples')
const secret = 'a value that nobody may see'

const filesNamed = (name: string) =>
  Object.fromEntries(
    globSync(`*/*/${name}`, { cwd: folder }).map((file) => [
      `${path.basename(path.dirname(file))}-${name}`,
      readFileSync(path.join(folder, file), 'utf8'),
    ]),
  )

const readPages = (place: string) =>
  Object.fromEntries(
    globSync('**/*.md', { cwd: place })
      .toSorted()
      .map((name) => [name, readFileSync(path.join(place, name), 'utf8')]),
  )

/** All resources but the one that no import is shown of. */
const withImport = (workspace: Workspace) =>
  resourcesOf(workspace).filter(({ address }) => !address.endsWith('.weekly_count'))

export function describeExamples(stage: () => Stage): void {
  describe('the examples of its documentation', () => {
    let workspace: Workspace

    beforeAll(async () => {
      workspace = await stage().workspace(
        {
          'provider.tf': readFileSync(path.join(folder, 'provider', 'provider.tf'), 'utf8'),
          ...filesNamed('resource.tf'),
          ...filesNamed('data-source.tf'),
        },
        { TF_VAR_hallpass_endpoint: stage().product.url, TF_VAR_change_token: secret },
      )
    })

    test('are applied, each resource and each data source', async () => {
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, add: 8 })
      await expectNoChange(workspace)
    })

    test('leave the value of the secret in no plan and no state', async () => {
      done(await workspace.plan('-replace=justiam_secret.change_token', '-out=plan'), [2])
      const { output } = done(await workspace.run('show', '-json', 'plan'))
      expect(output).toContain('CHANGE_TOKEN')
      expect(output).not.toContain(secret)
      expect(workspace.state()).toContain('CHANGE_TOKEN')
      expect(workspace.state()).not.toContain(secret)
    })

    test('are imported by name with the commands that they show', async () => {
      await forget(workspace, withImport(workspace))
      for (const script of Object.values(filesNamed('import.sh'))) {
        const [, address = '', id = ''] = /^terraform import (\S+) "?(.*?)"?$/m.exec(script) ?? []
        done(await workspace.run('import', '-input=false', address, id))
      }
      await expectNoChange(workspace)
    })

    test('are imported by name with the blocks that they show', async () => {
      await forget(workspace, withImport(workspace))
      workspace.write(filesNamed('import-by-string-id.tf'))
      expect(done(await workspace.apply()).changes).toEqual({ ...nothing, import: 7 })
      workspace.remove(...Object.keys(filesNamed('import-by-string-id.tf')))
    })

    test.skipIf(terraformProgram !== 'terraform')(
      'are in the pages that the provider documents itself by',
      async () => {
        const generated = path.join(inject('servers').run_folder, 'terraform-docs')
        await writeDocs(stage().mirror, path.relative(moduleFolder, generated))
        expect(readPages(generated)).toEqual(readPages(path.join(moduleFolder, 'docs')))
      },
    )

    test('are destroyed', async () => {
      expect(done(await workspace.destroy()).changes).toEqual({ ...nothing, remove: 8 })
    })
  })
}
