import { core } from './activities.ts'

/** The sweep that the schedule starts: ends what a request's own workflow failed to end. */
export async function accessRequestExpiry(): Promise<string> {
  const ended = await core.sweepRequests()
  return ended === 0 ? 'nothing was overdue' : `${ended} request(s) were overdue and have been ended`
}
