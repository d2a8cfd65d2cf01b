import config from 'config'
import http from 'http'
import idp from 'idp'
import secrets from 'secrets'

/** Tells a Slack channel who asks for what and who may decide. The webhook's address is the secret SLACK_WEBHOOK. */
export async function run(): Promise<string> {
  const approvers = await idp.getAccessRequestApprovers(config.get('request_id'))
  const emails = approvers.map(({ email }) => email).join(', ')
  const who = `${config.get('template_name')} access requested by ${config.get('requester_email')}`
  const { status } = await http.post(secrets.get('SLACK_WEBHOOK'), { text: `${who} — approvers: ${emails}` })
  if (status !== 200) throw new Error(`Slack answered ${status}`)
  return 'notified'
}
