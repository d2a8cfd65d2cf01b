import { readFileSync } from 'node:fs'
import path from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { projectRoot } from '../../bin/config.ts'
import { createTestApi } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'

let database: TestDatabase
let api: TestApi

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
})
afterAll(() => database.drop())

type Document = { paths: Record<string, Record<string, unknown>> }

test('every route that the pages call is one that the API describes', async () => {
  const { body } = await api.call<Document>('GET', '/openapi.json')
  const described = new Set(
    Object.entries(body.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    ),
  )
  const text = ['routes', 'admin-routes']
    .map((name) => readFileSync(path.join(projectRoot, `web/src/api/${name}.ts`), 'utf8'))
    .join('\n')
  const called = [...text.matchAll(/^ {2}'([A-Z]+ \/[^']*)':/gm)].map((match) => match[1] ?? '')
  expect(called.length).toBeGreaterThan(10)
  expect(called.filter((name) => !name.includes(' /auth/') && !described.has(name))).toEqual([])
})
