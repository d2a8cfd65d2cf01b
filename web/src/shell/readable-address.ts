/** Whether the path can be decoded, which the router takes for granted. */
function isReadable(path: string): boolean {
  try {
    // The bundler takes a decoding that nobody looks at for one that cannot fail, and drops it.
    return decodeURIComponent(path) !== ''
  } catch {
    return false
  }
}

const { pathname, search, hash } = location
if (!isReadable(pathname)) history.replaceState(null, '', pathname.replaceAll('%', '%25') + search + hash)
