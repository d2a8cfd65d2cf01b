import { Page } from '../../ui/page.tsx'

export function RequestDetail() {
  return <Page title="RequestDetail">…</Page>
}
