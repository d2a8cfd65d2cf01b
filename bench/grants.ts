import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import { projectRoot } from '../bin/config.ts'
import { median, print, quantile, range } from './figures.ts'
import { say, withServers } from './servers.ts'
import type { BenchServers } from './servers.ts'
import { load } from './tokens/measure.ts'
import { openPlace, startProductOn } from './tokens/place.ts'
import { explainMint } from './tokens/plans.ts'
import { storeGrants } from './tokens/stored-grants.ts'

/** How long a mint takes where many grants are stored, beside where few are: the same machine, the same own grants. */
const rounds = Number(process.argv[2] ?? 9)
const seconds = Number(process.argv[3] ?? 4)
const few = 1_000
const many = Number(process.argv[4] ?? 1_000_000)

const name = (count: number) => `grants_${count}`

async function prepare(servers: BenchServers, place: ReturnType<typeof openPlace>, count: number) {
  const { contender, database_url } = await startProductOn(servers, place, name(count))
  const shown = Buffer.from(contender.request.authorization.slice('Basic '.length), 'base64').toString()
  const client_id = shown.split(':')[0] ?? ''
  say(`storing ${count} grants`)
  await storeGrants(database_url, client_id, count)
  return { contender, database_url, client_id }
}
type Prepared = Awaited<ReturnType<typeof prepare>>

async function keepPlan({ database_url, client_id }: Prepared, count: number): Promise<void> {
  const folder = path.join(projectRoot, 'bench', 'plans')
  mkdirSync(folder, { recursive: true })
  await explainMint(database_url, client_id)
  writeFileSync(
    path.join(folder, `mint-${count}-grants.txt`),
    `${await explainMint(database_url, client_id)}\n`,
  )
}

type Round = { p50: number[]; p99: number[] }

async function measure(prepared: Prepared[]): Promise<Round> {
  const round: Round = { p50: [], p99: [] }
  for (const { contender } of prepared) {
    const { latencies } = await load(contender, 1, seconds)
    round.p50.push(quantile(latencies, 0.5))
    round.p99.push(quantile(latencies, 0.99))
  }
  say(`load ${os.loadavg()[0]?.toFixed(1)}: p99 ${round.p99.map((value) => value.toFixed(2)).join(', ')} ms`)
  return round
}

async function compare(servers: BenchServers): Promise<void> {
  const place = openPlace(servers)
  const prepared = [await prepare(servers, place, few), await prepare(servers, place, many)]
  for (const { contender } of prepared) await load(contender, 1, 5)
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) measured.push(await measure(prepared))
  report(measured)
  await Promise.all(prepared.map((each, index) => keepPlan(each, index === 0 ? few : many)))
  await Promise.all(prepared.map(({ contender }) => contender.close()))
}

function report(measured: Round[]): void {
  print(
    `${rounds} rounds of ${seconds} s, interleaved, one connection; ${os.availableParallelism()} cores, Node ${process.versions.node}; load ${os.loadavg()[0]?.toFixed(2)}`,
  )
  for (const key of ['p50', 'p99'] as const) {
    const [less, more] = [0, 1].map((index) => measured.map((round) => round[key][index] ?? 0))
    const ratios = measured.map((round) => (round[key][1] ?? 0) / (round[key][0] ?? 1))
    print(
      `${key} of a mint: ${median(less ?? []).toFixed(2)} ms with ${few} stored grants, ${median(more ?? []).toFixed(2)} ms with ${many}: ratio of medians ${(median(more ?? []) / median(less ?? [])).toFixed(2)} (rounds ${range(ratios)})`,
    )
  }
}

await withServers(compare)
process.exit(0)
