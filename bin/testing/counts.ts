import type { TestModule } from 'vitest/node'

export type TestCounts = { passed: number; failed: number; skipped: number }

/**
 * Counts the tests of a run. A file that fails without a failed test of its own (it does not load, or a hook fails)
 * counts as a failed test, and so does each error that happened outside of all tests.
 */
export function countTests(modules: Iterable<TestModule>, unhandledErrors: number): TestCounts {
  const counts = { passed: 0, failed: unhandledErrors, skipped: 0 }
  for (const module of modules) {
    const own = countModule(module)
    counts.passed += own.passed
    counts.failed += own.failed
    counts.skipped += own.skipped
  }
  return counts
}

/** `3 passed, 0 failed`, and what was skipped when anything was. */
export function describeCounts({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function countModule(module: TestModule): TestCounts {
  const states = [...module.children.allTests()].map((test) => test.result().state)
  const count = (state: (typeof states)[number]) => states.filter((found) => found === state).length
  // A test that was still to run when its process died has not passed.
  const failed = count('failed') + count('pending')
  return {
    passed: count('passed'),
    failed: failed === 0 && !module.ok() ? 1 : failed,
    skipped: count('skipped'),
  }
}
