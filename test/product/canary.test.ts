import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import net from 'node:net'
import { Duplex } from 'node:stream'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import type { Run, ScriptTask } from '../../domain/script-task.ts'
import { startHttp } from '../egress/servers.ts'
import type { LocalServer } from '../egress/servers.ts'
import { startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

/** Planted in a secret; the second stands in the script itself, to show that looking finds what is there. */
const canary = 'canary-9d41f7c2b86e'
const control = 'control-5b0e77a1'

let it: TestProduct
let admin: Caller
let service: LocalServer
let meanwhile: () => void = () => {}
const frames: Buffer[] = []
const logged: string[] = []

/** Everything that this process writes into a pipe: the frames to the processes that run scripts. */
function recordPipes(): void {
  vi.spyOn(net.Socket.prototype, 'write').mockImplementation(function write(this: net.Socket, ...given) {
    const { _handle: handle } = this as net.Socket & { _handle?: object }
    if (handle?.constructor.name === 'Pipe') frames.push(Buffer.from(given[0]))
    // oxlint-disable-next-line typescript/unbound-method -- `this` is handed in
    return Reflect.apply(Duplex.prototype.write, this, given) as boolean
  })
}

beforeAll(async () => {
  process.env.SAY = '1'
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => logged.push(String(text)) > 0)
  recordPipes()
  service = await startHttp((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      if (request.url === '/meanwhile') meanwhile()
      response.end(`${request.url} ${JSON.stringify(request.headers)} ${body}`)
    })
  })
  it = await startTestProduct({ allow_private_egress: true })
  admin = await it.as('admin')
})
afterAll(async () => {
  await Promise.all([it.close(), service.close()])
  vi.restoreAllMocks()
  delete process.env.SAY
})

/** This process's children, and theirs. */
function descendants(): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = statOf(name)
    if (stat !== undefined) parents.set(Number(name), stat)
  }
  const isOurs = (pid: number): boolean => {
    const parent = parents.get(pid)
    return parent === process.pid || (parent !== undefined && parent > 1 && isOurs(parent))
  }
  return [...parents.keys()].filter(isOurs)
}

function statOf(pid: string): number | undefined {
  try {
    return Number(
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[1],
    )
  } catch {
    return undefined
  }
}

/** Which of the texts stand in the writable memory of a process, as bytes or as UTF-16. */
function textsInMemory(pid: number, texts: string[]): Set<string> {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const found = new Set<string>()
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from = '', to = ''] = /^([\da-f]+)-([\da-f]+) rw/.exec(line) ?? []
      if (from !== '') look(memory, [Number.parseInt(from, 16), Number.parseInt(to, 16)], { texts, found })
    }
  } finally {
    closeSync(memory)
  }
  return found
}

type Looking = { texts: string[]; found: Set<string> }

function look(memory: number, [from, to]: [number, number], { texts, found }: Looking): void {
  const region = Buffer.alloc(Math.min(to - from, 256 * 1024 * 1024))
  try {
    readSync(memory, region, 0, region.length, from)
  } catch {
    return
  }
  for (const text of texts) if (region.includes(text) || region.includes(text, 0, 'utf16le')) found.add(text)
}

const isRoot = process.platform === 'linux' && process.getuid?.() === 0

test('a secret that a script uses is never in its process, in a frame to it, in a log or in an answer', async () => {
  const host = `localhost:${service.port}`
  await admin.call('PUT', '/secrets/CANARY', { value: canary, hosts: [host] })
  const script = `export async function run() {
    const secret = secrets.get('CANARY')
    const echoed = await http.post('http://${host}/echo?key=' + secret, { secret, control: '${control}' },
      { headers: { 'x-secret': secret } })
    log(secret, echoed.body)
    await http.get('http://${host}/meanwhile')
    throw new Error(secret + echoed.body)
  }`
  const { body: task } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', {
    name: 'canary',
    script,
    egress_hosts: [host],
  })
  const found = new Set<string>()
  let processes = 0
  meanwhile = () => {
    if (!isRoot) return
    for (const pid of descendants()) {
      processes += 1
      for (const text of textsInMemory(pid, [canary, control])) found.add(text)
    }
  }
  const { body: run } = await admin.call<Run>('POST', `/scheduled-tasks/${task.id}/run`)
  expect(run).toMatchObject({ ended_by: 'threw', calls: [{ path: '/echo' }, { path: '/meanwhile' }] })
  expect(run.error?.message).toContain('[secret CANARY]')
  expect(JSON.stringify(run)).not.toContain(canary)

  const written = Buffer.concat(frames)
  expect(written.includes(control)).toBe(true)
  expect(written.includes(canary)).toBe(false)
  expect(written.includes(Buffer.from(canary).toString('base64'))).toBe(false)

  if (isRoot) {
    expect(processes).toBeGreaterThan(0)
    expect([...found]).toEqual([control])
  }
  expect(logged.join('')).not.toContain(canary)
  expect(logged.join('')).not.toBe('')
})
