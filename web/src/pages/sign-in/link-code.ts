/** The code of a one-time link. It stands behind the `#`, so that no server and no log sees it; here it leaves the address bar. */
export function takeLinkCode(): string | undefined {
  const code = new URLSearchParams(location.hash.slice(1)).get('code') ?? undefined
  if (code !== undefined) history.replaceState(history.state, '', location.pathname + location.search)
  return code
}
