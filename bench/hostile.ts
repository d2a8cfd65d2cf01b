import os from 'node:os'

import { median, print, quantile, range, time } from './figures.ts'
import { type BenchProduct, type Call, withProduct } from './product.ts'

/**
 * What hostile scripts do to everybody else: the API's p99 while they run, all asked for at once, beside its p99 when
 * nothing runs, in rounds of both; and how soon after the end of each kind a plain script has run.
 */
const rounds = Number(process.argv[2] ?? 5)
const scripts = Number(process.argv[3] ?? 50)
const perPhase = Number(process.argv[4] ?? 250)
const repeats = 3

const hostile: Record<string, string> = {
  loop: 'for (;;);',
  'endless promises': 'const again = () => Promise.resolve().then(again); await again()',
  'growing array': 'const all = []; for (;;) all.push({ at: all.length })',
  'growing map': 'const all = new Map(); for (let i = 0; ; i += 1) all.set(i, i)',
  'half a gigabyte': 'return "ẛ".repeat(1e8).normalize("NFKD").length',
  'log flood': 'for (;;) log("x".repeat(4000))',
  'call flood': 'for (;;) http.post("https://a", "x".repeat(20000)).catch(() => {})',
}
const plain = 'return "plain"'

type Run = { status: string; ended_by: string; duration_ms: number }
type Task = { kind: string; run: () => Promise<Run> }

async function saveTask(admin: Call, kind: string, text: string): Promise<Task> {
  const script = `export async function run() { ${text} }`
  const body = { name: `${kind} ${Date.now()}`, script, timeout_seconds: 200 }
  const { id } = await admin('POST', '/scheduled-tasks', 201, body)
  return { kind, run: () => admin<Run>('POST', `/scheduled-tasks/${id}/run`, 200, {}) }
}

type Phase = { get: number[]; submit: number[]; runs: Run[] }

/** Reads, submits and cancels again, one after another, until the hostile scripts have ended; without any, a number of times. */
async function probe(alice: Call, template_id: string, work: Promise<Run[]> | null): Promise<Phase> {
  const phase: Phase = { get: [], submit: [], runs: [] }
  let isOver = false
  const ended = work?.finally(() => (isOver = true)) ?? []
  const submission = { template_id, requested_duration_mins: 60, justification: 'A measurement.' }
  while (work === null ? phase.get.length < perPhase : !isOver) {
    await time(phase.get, () => alice('GET', '/access-requests', 200))
    let id = ''
    await time(phase.submit, async () => ({ id } = await alice('POST', '/access-requests', 201, submission)))
    await alice('POST', `/access-requests/${id}/revoke`, 200, {})
  }
  phase.runs = await ended
  return phase
}

/** The demo organisation's template without its trigger: a submission runs no script. */
async function saveTemplate(admin: Call): Promise<string> {
  type Template = Record<string, unknown>
  const { data } = await admin<{ data: Template[] }>('GET', '/access-request-templates', 200)
  const { id: _, created_at: _c, updated_at: _u, ...input } = data[0] ?? {}
  const quiet = { ...input, name: 'Quiet', trigger_task_id: null }
  return (await admin('POST', '/access-request-templates', 201, quiet)).id
}

async function measure({ callerOf }: BenchProduct): Promise<void> {
  const [admin, alice] = [await callerOf('admin@example.com'), await callerOf('alice@example.com')]
  const template_id = await saveTemplate(admin)
  const plainTask = await saveTask(admin, 'plain', plain)
  const tasks: Task[] = []
  for (const [kind, text] of Object.entries(hostile)) tasks.push(await saveTask(admin, kind, text))
  const attack = () =>
    Promise.all(Array.from({ length: scripts }, (_, index) => tasks[index % tasks.length]?.run() ?? fail()))
  await probe(alice, template_id, null)
  const phases: { idle: Phase; attacked: Phase }[] = []
  for (let round = 0; round < rounds; round += 1) {
    const idle = await probe(alice, template_id, null)
    phases.push({ idle, attacked: await probe(alice, template_id, attack()) })
  }
  report(phases)
  await measureRecovery(tasks, plainTask)
}

function fail(): never {
  throw new Error('there is no hostile script')
}

function report(phases: { idle: Phase; attacked: Phase }[]): void {
  const load = os.loadavg()[0]?.toFixed(2)
  print(
    `${scripts} hostile scripts a round, ${rounds} rounds, interleaved; ${os.availableParallelism()} cores, Node ${process.versions.node}; load ${load}`,
  )
  for (const name of ['get', 'submit'] as const)
    for (const share of [0.5, 0.99]) {
      const idle = phases.map((phase) => quantile(phase.idle[name], share))
      const attacked = phases.map((phase) => quantile(phase.attacked[name], share))
      const ratios = attacked.map((value, round) => value / (idle[round] ?? 1))
      const asked = phases.map((phase) => phase.attacked[name].length)
      print(
        `${name.padEnd(6)} p${share * 100} idle ${median(idle).toFixed(1).padStart(6)} ms (${range(idle)})  attacked ${median(attacked).toFixed(1).padStart(6)} ms (${range(attacked)})  ratio of medians ${(median(attacked) / median(idle)).toFixed(2)}, rounds ${range(ratios)}  of ${Math.min(...asked)}+ calls`,
      )
    }
  const ends = phases.flatMap(({ attacked }) => attacked.runs).map(({ ended_by }) => ended_by)
  const counts = [...new Set(ends)].map((end) => `${end} ${ends.filter((each) => each === end).length}`)
  print(`the hostile scripts ended as: ${counts.toSorted().join(', ')}`)
}

/** From the end of a hostile run to the end of a plain one that is asked for then. */
async function measureRecovery(tasks: Task[], plainTask: Task): Promise<void> {
  const told: string[] = []
  for (const { kind, run } of tasks) {
    const times: number[] = []
    for (let index = 0; index < repeats; index += 1) {
      await run()
      await time(times, async () => {
        const { status } = await plainTask.run()
        if (status !== 'succeeded') throw new Error(`the run after "${kind}" has ${status}`)
      })
    }
    told.push(`${kind} ${Math.max(...times).toFixed(0)}`)
  }
  print(`slowest of ${repeats} plain runs asked for when a hostile one had ended, ms: ${told.join(', ')}`)
}

await withProduct(measure)
process.exit(0)
