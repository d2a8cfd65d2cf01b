import config from 'config'
import http from 'http'
import idp from 'idp'
import secrets from 'secrets'

/**
 * For the mode `block`: lets an approval pass only while the change ticket of the request is open. The ticket is the
 * request's own, or the answer to the custom field that `ticket_field` of the task's config names; `ticket_url` is the
 * address of the service with {ticket} in it, which answers {"status": "open"}. A token, where the service wants one, is
 * the secret CHANGE_TOKEN, with `ticket_auth` set to `bearer`.
 */
export async function run(): Promise<string> {
  const ticket = await readTicket()
  if (!/^[\w-]{1,64}$/.test(ticket)) throw new Error('the request names no change ticket')
  const url = config.get('ticket_url').replace('{ticket}', ticket)
  const { status, body } = await http.get(url, { headers: headers() })
  if (status === 404) throw new Error(`there is no change ticket ${ticket}`)
  if (status !== 200) throw new Error(`the change service answered ${status}`)
  if (JSON.parse(body).status !== 'open') throw new Error(`the change ticket ${ticket} is not open`)
  return `${ticket} is open`
}

async function readTicket(): Promise<string> {
  const field = config.get('ticket_field')
  if (field !== '') return config.get(`custom_answers.${field}`)
  const { ticket } = await idp.getAccessRequest(config.get('request_id'))
  return String(ticket ?? '')
}

function headers(): Record<string, string> {
  if (config.get('ticket_auth') !== 'bearer') return {}
  return { authorization: `Bearer ${secrets.get('CHANGE_TOKEN')}` }
}
