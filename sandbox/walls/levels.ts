import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'

/**
 * What one process gets: a user id of its own, room for its memory and processor time, and how far it steps back
 * (0 to 19) where others want the processor.
 */
export type Cell = { user_id: number; data_bytes: number; cpu_seconds: number; niceness?: number }

/** How strongly a process is walled off; `prefix` is the command line that raises the walls around what follows it. */
export type Level = { name: string; walls: readonly string[]; prefix: (cell: Cell) => string[] }

const userIds = { first: 60_600, count: 500 }
const toolFolders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']

const tool = (name: string) =>
  toolFolders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path)) ?? name

const asOwnUser = ({ user_id }: Cell) => [`--reuid=${user_id}`, `--regid=${user_id}`, '--clear-groups']

// Processes are counted per user: their limit needs a user id that nothing else has.
const MAX_PROCESSES = '--nproc=64'

const withLimits = ({ data_bytes, cpu_seconds }: Cell, ...more: string[]) => [
  tool('prlimit'),
  `--data=${data_bytes}`,
  `--cpu=${cpu_seconds}`,
  '--core=0',
  '--fsize=0',
  '--nofile=64',
  '--msgqueue=0',
  ...more,
]

const namespaces = ['--map-root-user', '--net', '--pid', '--ipc', '--uts']
const inNamespaces = () => [tool('unshare'), ...namespaces, '--fork', '--mount-proc', '--kill-child']

const withPrivileges = (...options: string[]) => [tool('setpriv'), '--pdeathsig=KILL', ...options]

const unprivileged = ['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all']

const walls = {
  user: 'own user id',
  network: 'network namespace',
  processes: 'process namespace',
  users: 'user namespace',
  resources: 'resource limits',
  privileges: 'no privileges, ends with the product',
  runtime: 'Node permission model, no compiler, empty environment',
  isolate: 'isolate with a memory limit',
  watch: 'memory and processor time watched',
}
const always = [walls.runtime, walls.isolate, ...(process.platform === 'linux' ? [walls.watch] : [])]
const limited = [walls.resources, walls.privileges, ...always]
const separated = [walls.network, walls.processes, walls.users, ...limited]

/** From the strongest to the weakest; the names are what an operator sets as the minimum. */
export const levels: readonly Level[] = [
  {
    name: 'full',
    walls: [walls.user, ...separated],
    prefix: (cell) => [
      ...withPrivileges('--inh-caps=-all', ...asOwnUser(cell)),
      ...withLimits(cell, MAX_PROCESSES),
      ...inNamespaces(),
      ...withPrivileges(...unprivileged),
    ],
  },
  {
    name: 'namespaces',
    walls: separated,
    prefix: (cell) => [
      ...withPrivileges(),
      ...withLimits(cell),
      ...inNamespaces(),
      ...withPrivileges(...unprivileged),
    ],
  },
  {
    name: 'own_user',
    walls: [walls.user, ...limited],
    prefix: (cell) => [
      ...withPrivileges(...unprivileged, ...asOwnUser(cell)),
      ...withLimits(cell, MAX_PROCESSES),
    ],
  },
  {
    name: 'limits',
    walls: limited,
    prefix: (cell) => [...withPrivileges('--no-new-privs'), ...withLimits(cell)],
  },
  { name: 'process', walls: always, prefix: () => [] },
]

export const levelNames = levels.map(({ name }) => name)

/** Whether a level is the one of that name or a stronger one; no if either is unknown. */
export function isAtLeast(level: Level, minimum: string): boolean {
  const rank = levelNames.indexOf(level.name)
  return rank >= 0 && rank <= levelNames.indexOf(minimum)
}

/** The walls that a level lacks. */
export const missingWalls = (level: Level) =>
  Object.values(walls).filter((wall) => !level.walls.includes(wall))

/** The command line that has what follows it step back. */
export const steppingBack = ({ niceness = 0 }: Cell) =>
  niceness > 0 ? [tool('nice'), '-n', String(niceness)] : []

// Not from the first on: several products on one machine would have their processes count, and kill, each other's.
let started = randomInt(userIds.count)

/** A user id for the next process, so that two of a product never share one while both live. */
export const nextUserId = () => userIds.first + (started++ % userIds.count)
