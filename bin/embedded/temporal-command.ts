import path from 'node:path'

import { z } from 'zod'

import { assertPortFree, findFreePort, findFreePortFrom } from './port.ts'
import { readLastServer } from './server-record.ts'

export type TemporalOptions = {
  /** The folder of everything that belongs to this server. */
  directory: string
  /** The Temporal CLI. */
  program: string
  say: (line: string) => void
  signal: AbortSignal
  /** The ports it must have; free ones when absent, for the Web UI the first free one from 8233 on. */
  port?: number | undefined
  ui_port?: number | undefined
  dynamic_config?: readonly string[]
}

/** What distinguishes one launch of the dev server from another. */
export const Launch = z.object({
  program: z.string(),
  port: z.int(),
  ui_port: z.int(),
  http_port: z.int(),
  metrics_port: z.int(),
})
export type Launch = z.infer<typeof Launch>

const firstUiPort = 8233

/** The program and ports of the next launch: those asked for, else those of the last one as far as they are free. */
export async function chooseLaunch({ directory, program, port, ui_port }: TemporalOptions): Promise<Launch> {
  const last = readLastServer(directory, Launch.shape)
  if (port !== undefined) await assertPortFree(port, 'TEMPORAL_PORT')
  if (ui_port !== undefined) await assertPortFree(ui_port, 'TEMPORAL_UI_PORT')
  return {
    program,
    port: port ?? (await findFreePort(last?.port)),
    ui_port: ui_port ?? (await findFreePortFrom(firstUiPort)),
    http_port: await findFreePort(last?.http_port),
    metrics_port: await findFreePort(last?.metrics_port),
  }
}

/** The command line of a launch. */
export function serverArgs(launch: Launch, { directory, dynamic_config }: TemporalOptions): string[] {
  const options = {
    ip: '127.0.0.1',
    port: launch.port,
    'ui-port': launch.ui_port,
    'http-port': launch.http_port,
    'metrics-port': launch.metrics_port,
    'db-filename': path.join(directory, 'temporal.db'),
    'log-level': 'warn',
    'log-format': 'json',
  }
  const pairs = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const pragmas = ['journal_mode=wal', 'synchronous=normal'].flatMap((pragma) => ['--sqlite-pragma', pragma])
  const dynamic = (dynamic_config ?? []).flatMap((setting) => ['--dynamic-config-value', setting])
  const plain = ['--ui-disable-news-fetch', '--disable-config-file', '--disable-config-env']
  return ['server', 'start-dev', ...pairs, ...pragmas, ...dynamic, ...plain]
}
