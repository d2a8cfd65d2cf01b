/** Whether the path can be decoded, which the router takes for granted. */
function isReadable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

const { pathname, search, hash } = location
if (!isReadable(pathname)) history.replaceState(null, '', pathname.replaceAll('%', '%25') + search + hash)
