import { Page } from '../../ui/page.tsx'

export function MyRequests() {
  return <Page title="MyRequests">…</Page>
}
