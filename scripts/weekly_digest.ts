import config from 'config'
import log from 'log'

type Grant = { app_name: string; subject_name: string; template_name: string; expires_at: string }

const day = (at: string): string => at.slice(0, 16).replace('T', ' ')

/** On a schedule: logs and returns who has access to what at the moment, and until when, by application. */
export function run(): string {
  const grants: Grant[] = JSON.parse(config.get('open_grants') || '[]')
  const total = Number(config.get('open_grants_total') || grants.length)
  const apps = [...new Set(grants.map(({ app_name }) => app_name))].sort()
  const lines = apps.flatMap((app) => [
    `${app}:`,
    ...grants
      .filter(({ app_name }) => app_name === app)
      .map((it) => `  ${it.subject_name} until ${day(it.expires_at)} UTC (${it.template_name})`),
  ])
  const rest = total > grants.length ? [`and ${total - grants.length} more`] : []
  const digest = [
    `Open access on ${config.get('scheduled_at').slice(0, 10)}: ${total}`,
    ...lines,
    ...rest,
  ].join('\n')
  log(digest)
  return digest
}
