resource "justiam_scheduled_task" "no_weekends" {
  name            = "No approvals at the weekend"
  timeout_seconds = 10

  script = <<-EOT
    export function run(): string {
      const day = new Date().getUTCDay()
      if (day === 0 || day === 6) throw new Error('no approvals at the weekend')
      return 'ok'
    }
  EOT
}

resource "justiam_scheduled_task" "weekly_count" {
  name            = "Weekly count of open access"
  schedule_type   = "cron"
  cron_expression = "0 9 * * 1"
  timezone        = "Europe/London"
  script          = "export const run = () => `$${config.get('open_grants_total')} open`"
}
