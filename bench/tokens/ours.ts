import { loadConfig } from '../../bin/config.ts'
import { startServer } from '../../bin/product.ts'
import { basicOf, callJson } from './contender.ts'
import type { Contender } from './contender.ts'
import { cores, firstLine, startScript, switchesOf } from './pinned.ts'

export type OurSettings = {
  data_dir: string
  public_url: string
  port: number
  database_url: string
  temporal_address: string
  workflow_bundle: string
}

/** As much as anybody may ask for in a minute: what is measured is not the limit. */
const unlimited = { TOKENS_PER_MINUTE: '1000000', WRITES_PER_MINUTE: '1000000', READS_PER_MINUTE: '1000000' }

export const configOf = ({
  data_dir,
  public_url,
  port,
}: Pick<OurSettings, 'data_dir' | 'public_url' | 'port'>) =>
  loadConfig({ ...unlimited, DATA_DIR: data_dir, PUBLIC_URL: public_url, PORT: String(port) })

/** Somebody who may administer, to make a machine of. */
export type Admin = { authorization: string; owner_id: string }

/** A machine with one entitlement of the demo organisation's application. */
export async function addMachine(api: string, { authorization, owner_id }: Admin, name: string) {
  const create = <Body>(path: string, body: unknown, method = 'POST') =>
    callJson<Body>(`${api}${path}`, { method, authorization, body })
  const identity = {
    kind: 'service_account',
    email: name,
    display_name: name,
    owner_id,
    purpose: 'A measurement',
    privilege_class: 'low',
    rotation_days: 90,
  }
  const { id } = await create<{ id: string }>('/identities', identity)
  const { data } = await callJson<{ data: { id: string }[] }>(`${api}/applications`, {
    method: 'GET',
    authorization,
  })
  const mapping = { name, claim: 'roles', value: name }
  const mapped = await create<{ id: string }>(`/applications/${data[0]?.id}/mappings`, mapping)
  const group = await create<{ id: string }>('/groups', { name })
  await create(`/groups/${group.id}/mappings/${mapped.id}`, undefined, 'PUT')
  await create(`/groups/${group.id}/members/${id}`, undefined, 'PUT')
  const credential = await create<{ client_secret: string }>(`/identities/${id}/credentials`, {
    type: 'client_secret',
  })
  return { id, secret: credential.client_secret }
}

/** The product's API in a process of its own, without a worker. */
export async function startOurs(settings: OurSettings, admin: () => Promise<Admin>): Promise<Contender> {
  const child = startScript(cores.server, './ours.ts', settings)
  const url = await firstLine(child)
  const { id, secret } = await addMachine(`${url}/api/v1`, await admin(), `bench-${process.pid}`)
  return {
    name: 'Hallpass',
    warm_up: 5,
    request: {
      url: `${url}/oauth/token`,
      authorization: basicOf(id, secret),
      body: 'grant_type=client_credentials&resource=internal-db',
    },
    ...switchesOf(child),
  }
}

if (import.meta.main) {
  const settings = JSON.parse(process.argv[2] ?? '{}') as OurSettings
  const { url } = await startServer({
    config: configOf(settings),
    database_url: settings.database_url,
    embedded: true,
    temporal_address: settings.temporal_address,
    temporal_ui_url: null,
    workflow_bundle: settings.workflow_bundle,
    say: (line) => void process.stderr.write(`${line}\n`),
  })
  process.stdout.write(`${url}\n`)
}
