import { afterAll, beforeAll, describe } from 'vitest'

import { describeBetween } from './between.ts'
import { describeChanges } from './changes.ts'
import { describeContract } from './contract.ts'
import { describeCredentials } from './credentials.ts'
import { describeDocumented } from './documented.ts'
import { describeDocuments } from './documents.ts'
import { describeExamples } from './examples.ts'
import { describeGoTests } from './go-tests.ts'
import { findMissingPrograms } from './programs.ts'
import { describeRefusals } from './refusals.ts'
import { describeSecrets } from './secrets.ts'
import { setStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { describeUnseen } from './unseen.ts'

const missing = await findMissingPrograms()
if (missing.length > 0)
  process.stderr.write(
    `  The tests of the Terraform provider are skipped: no ${missing.join(', no ')} here.\n`,
  )

/** A machine that has compiled nothing yet compiles for minutes. */
const compilation_ms = 1_500_000

describe.skipIf(missing.length > 0)('the Terraform provider', { timeout: 300_000 }, () => {
  let stage: Stage | undefined
  const theStage = () => {
    if (stage === undefined) throw new Error('the stage is not set')
    return stage
  }

  beforeAll(async () => {
    stage = await setStage()
  }, compilation_ms)
  afterAll(() => stage?.product.close())

  describeGoTests(compilation_ms)
  describeContract(theStage)
  describeExamples(theStage)
  describeChanges(theStage)
  describeSecrets(theStage)
  describeRefusals(theStage)
  describeCredentials(theStage)
  describeUnseen(theStage)
  describeBetween(theStage)
  describeDocumented(theStage)
  // Takes over what the demo organisation has, and destroys it.
  describeDocuments(theStage)
})
