import { availableParallelism } from 'node:os'

import { defineConfig } from 'vitest/config'

/** Test files run side by side, each in a process of its own, against the servers that test/setup/global.ts starts. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/global.ts'],
    pool: 'forks',
    // Most of the time they wait for a server or a timer.
    maxWorkers: Math.max(2, availableParallelism()),
    // A test that fails may take long; one that passes is not kept waiting.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    expect: { poll: { timeout: 60_000 } },
  },
})
