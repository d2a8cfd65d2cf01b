import { parseCLI, startVitest } from 'vitest/node'

import { countTests, describeCounts, type TestCounts } from './testing/counts.ts'

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }

// Leaving by `exit` lets test/setup/global.ts end the servers that it has started.
for (const [name, number] of Object.entries(signals)) process.once(name, () => process.exit(128 + number))
const counts = await runTests(process.argv.slice(2))
process.stdout.write(`${describeCounts(counts)}\n`)
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1)

/** Runs the test files that the arguments name, all when there are none; takes vitest's options too. */
async function runTests(args: string[]): Promise<TestCounts> {
  try {
    const { filter, options } = parseCLI(['vitest', 'run', ...args])
    const vitest = await startVitest(filter, { ...options, watch: false })
    const counts = countTests(vitest.state.getTestModules(), vitest.state.getUnhandledErrors().length)
    await vitest.close()
    return counts
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
}
