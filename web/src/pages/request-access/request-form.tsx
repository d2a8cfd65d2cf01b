import { Page } from '../../ui/page.tsx'

export function RequestForm() {
  return <Page title="RequestForm">…</Page>
}
