import type { RecordedCall } from '../../db/scripts/recordings.ts'
import type { Call } from '../../domain/script-call.ts'
import type { GuardedResponse } from '../../egress/send-guarded.ts'
import type { HostHandler, HostHandlers } from '../../sandbox/host-calls.ts'
import { pathOf, readRequest } from './http.ts'
import { describeCall } from './recorder.ts'

type Replaying = { mask: (text: string) => string; calls: Call[] }

/** Answers host calls with what an earlier run was answered, each answer once and in its order; nothing is called. */
export function createRecordedHandlers(recorded: readonly RecordedCall[], { mask, calls }: Replaying) {
  const left = [...recorded]

  function answer(operation: string, args: unknown[]): unknown {
    const { key, shown } = describeCall(operation, args, mask)
    const index = left.findIndex((call) => call.operation === operation && call.key === key)
    const [call] = index === -1 ? [] : left.splice(index, 1)
    if (call === undefined) throw new Error(`the recorded run has not made this call: ${shown}`)
    if (call.error !== undefined) throw new Error(call.error)
    if (call.is_dropped) throw new Error('the answer that was recorded was too large to be kept')
    if (call.value === undefined) throw new Error('the recorded run ended before the answer')
    return call.value
  }

  function begin(args: unknown[]): Call {
    const { method, url, body } = readRequest(args)
    const target = mask(url)
    const call: Call = {
      method: method.slice(0, 20),
      host: URL.canParse(target) ? new URL(target).hostname : null,
      path: pathOf(target),
      status: null,
      ms: null,
      bytes_sent: Buffer.byteLength(mask(body ?? '')),
      bytes_received: 0,
      error: null,
      made: false,
    }
    calls.push(call)
    return call
  }

  const plain =
    (operation: string): HostHandler =>
    async (args) =>
      answer(operation, args)

  const http: HostHandler = async (args) => {
    const call = begin(args)
    try {
      const response = answer('http.request', args) as GuardedResponse
      call.status = response.status
      call.bytes_received = Buffer.byteLength(response.body)
      return response
    } catch (error) {
      call.error = error instanceof Error ? error.message : null
      throw error
    }
  }

  const handlers: HostHandlers = {
    'http.request': http,
    'idp.getAccessRequest': plain('idp.getAccessRequest'),
    'idp.getAccessRequestApprovers': plain('idp.getAccessRequestApprovers'),
  }
  return handlers
}
