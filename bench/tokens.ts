import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

import { median, print, quantile, range } from './figures.ts'
import { say, withServers } from './servers.ts'
import type { BenchServers } from './servers.ts'
import type { Contender, Place } from './tokens/contender.ts'
import { startFloor } from './tokens/floor.ts'
import { startHydra } from './tokens/hydra.ts'
import { startKeycloak } from './tokens/keycloak.ts'
import { load } from './tokens/measure.ts'
import { openPlace, startProductOn } from './tokens/place.ts'

/**
 * Tokens a second by client credentials, each server on one core, beside the floor and beside others where they are
 * there: HYDRA names the binary of Ory Hydra, KEYCLOAK_HOME the folder of Keycloak. Interleaved rounds on one
 * PostgreSQL, which shares the other core with the load.
 */
const rounds = Number(process.argv[2] ?? 7)
const seconds = Number(process.argv[3] ?? 4)
/** Few connections show the wait of each call, many what the core can do. */
const loads = (process.argv[4] ?? '8,64').split(',').map(Number)

type Start = {
  name: string
  at: string | undefined
  variable: string
  start: (at: string) => Promise<Contender>
}

async function startPeers(servers: BenchServers, place: Place): Promise<Contender[]> {
  const folder = path.join(servers.config.data_dir, 'hydra')
  const peers: Start[] = [
    {
      name: 'Ory Hydra',
      at: process.env['HYDRA'],
      variable: 'HYDRA',
      start: (at) => startHydra(at, folder, place),
    },
    {
      name: 'Keycloak',
      at: process.env['KEYCLOAK_HOME'],
      variable: 'KEYCLOAK_HOME',
      start: (at) => startKeycloak(at, place),
    },
  ]
  const started: Contender[] = []
  for (const { name, at, variable, start } of peers) {
    if (at !== undefined && existsSync(at)) started.push(await start(at))
    else print(`${name} is left out: ${variable} does not say where it is`)
  }
  return started
}

type Round = { load: number; rates: number[]; p99: number[] }

/** One at a time has the core: the others do not run at all meanwhile. */
async function loadAlone(contenders: Contender[], one: Contender, connections: number, lasting: number) {
  for (const each of contenders) if (each !== one) each.pause()
  const result = await load(one, connections, lasting)
  for (const each of contenders) each.resume()
  return result
}

async function measureRound(contenders: Contender[], connections: number): Promise<Round> {
  const round: Round = { load: os.loadavg()[0] ?? 0, rates: [], p99: [] }
  for (const contender of contenders) {
    const { answered, latencies, ...result } = await loadAlone(contenders, contender, connections, seconds)
    round.rates.push(answered / result.seconds)
    round.p99.push(quantile(latencies, 0.99))
  }
  const rates = round.rates.map((rate) => rate.toFixed(0)).join(', ')
  say(`${connections} connections, load ${round.load.toFixed(1)}: ${rates} a second`)
  return round
}

async function measure(contenders: Contender[]): Promise<void> {
  const measured = new Map<number, Round[]>(loads.map((connections) => [connections, []]))
  for (const connections of loads)
    for (const each of contenders) await loadAlone(contenders, each, connections, each.warm_up / loads.length)
  for (let round = 0; round < rounds; round++)
    for (const [connections, done] of measured) done.push(await measureRound(contenders, connections))
  for (const [connections, done] of measured) report(contenders, connections, done)
}

async function compare(servers: BenchServers): Promise<void> {
  const place = openPlace(servers)
  const { contender } = await startProductOn(servers, place, 'hallpass_bench')
  const contenders = [contender, await startFloor(place), ...(await startPeers(servers, place))]
  try {
    await measure(contenders)
  } finally {
    await Promise.all(contenders.map((each) => each.close()))
  }
}

function report(contenders: Contender[], connections: number, measured: Round[]): void {
  const found = measured.map((round) => round.load)
  print(
    `${connections} connections, ${rounds} rounds of ${seconds} s, interleaved; ${os.availableParallelism()} cores, Node ${process.versions.node}; load ${range(found)}`,
  )
  for (const [index, { name }] of contenders.entries()) {
    const rates = measured.map((round) => round.rates[index] ?? 0)
    const ratios = measured.map((round) => (round.rates[0] ?? 0) / (round.rates[index] ?? 1))
    const p99 = median(measured.map((round) => round.p99[index] ?? 0))
    print(
      `${name.padEnd(38)} ${median(rates).toFixed(0).padStart(6)} a second (${range(rates)})  p99 ${p99.toFixed(1).padStart(6)} ms  Hallpass to it ${median(ratios).toFixed(2)} (${range(ratios)})`,
    )
  }
}

await withServers(compare)
process.exit(0)
