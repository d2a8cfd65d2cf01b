import { queryClient } from './query-client.ts'

/** A browser has one session: what a tab learns of it concerns the others. */
const channel = new BroadcastChannel('hallpass-person')

/** Whose everything else is that has been read here. */
let owner: string | null | undefined

/** Nothing that one person has read is left to whoever is signed in next, and the other tabs look who that is. */
export function heedPerson(id: string | null): void {
  if (owner !== undefined && owner !== id)
    queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' })
  owner = id
  // A channel has no target, unlike a window.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  channel.postMessage(id)
}

channel.addEventListener('message', ({ data }: MessageEvent<string | null>) => {
  if (owner !== undefined && data !== owner) void queryClient.invalidateQueries({ queryKey: ['me'] })
})

// Safari keeps a page whole, with all that it shows, even where it may not be stored.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload()
})
