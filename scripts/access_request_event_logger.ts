import config from 'config'
import log from 'log'

/** Logs and returns what an access request's event carries: a look at the data before a real integration is built. */
export function run(): string {
  const lines = [
    `=== access_request.${config.get('trigger_event')} ===`,
    `  Request ID:      ${config.get('request_id')}`,
    `  Status:          ${config.get('request_status')}`,
    `  Template:        ${config.get('template_name')}`,
    `  App:             ${config.get('app_name')}`,
    `  Requester:       ${config.get('requester_name')} (${config.get('requester_email')})`,
    `  Justification:   ${config.get('justification')}`,
  ]
  const output = lines.join('\n')
  log(output)
  return output
}
