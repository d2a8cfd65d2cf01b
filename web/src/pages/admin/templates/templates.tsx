import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { Template } from '../../../../../domain/template.ts'
import { applicationsQuery, groupsQuery, templatesQuery } from '../../../admin/queries.ts'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import type { Column } from '../../../admin/table.tsx'
import { inWords } from '../../../ui/durations.ts'
import { LinkButton } from '../../../ui/link-button.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'

export function Templates() {
  const templates = useQuery(templatesQuery)
  return (
    <Page
      title="Templates"
      about="Each is one kind of access that people can ask for."
      actions={<LinkButton to="/templates/new">New template</LinkButton>}
      wide
    >
      <Arriving query={templates}>{(items) => <TemplateTable items={items} />}</Arriving>
    </Page>
  )
}

type Names = Map<string, string>
const nameIn = (names: Names) => (id: string) => names.get(id) ?? 'one that is gone'

function whoDecides({ auto_approve, approver_group_ids }: Template, groups: Names): string {
  if (auto_approve) return 'Nobody: automatic'
  return approver_group_ids.map(nameIn(groups)).join(', ') || 'Admins of Hallpass'
}

function columnsWith(apps: Names, groups: Names): Column<Template>[] {
  return [
    {
      name: 'Name',
      cell: ({ id, name }) => (
        <Link to="/templates/$templateId" params={{ templateId: id }}>
          {name}
        </Link>
      ),
    },
    { name: 'Application', cell: ({ app_id }) => apps.get(app_id) ?? '' },
    {
      name: 'Durations',
      cell: ({ allowed_durations }) => allowed_durations.map(inWords).join(', ') || 'Any',
    },
    { name: 'Decided by', cell: (template) => whoDecides(template, groups) },
    {
      name: 'Who may ask',
      cell: ({ allowed_group_ids }) => allowed_group_ids.map(nameIn(groups)).join(', ') || 'Everybody',
    },
  ]
}

function TemplateTable({ items }: { items: Template[] }) {
  const { data: apps = [] } = useQuery(applicationsQuery)
  const { data: groups = [] } = useQuery(groupsQuery)
  const columns = columnsWith(
    new Map(apps.map(({ id, name }) => [id, name])),
    new Map(groups.map(({ id, name }) => [id, name])),
  )
  return (
    <SearchableTable
      label="Templates"
      columns={columns}
      items={items.toSorted((one, other) => one.name.localeCompare(other.name))}
      keyOf={({ id }) => id}
      textOf={({ name, description }) => `${name} ${description}`}
      empty={
        <Empty title="There is no template yet.">
          <Link to="/templates/new">Make the first one</Link>: it says what is granted, for how long, and who
          decides. It needs an application with its mappings: see <Link to="/applications">Applications</Link>
          .
        </Empty>
      }
    />
  )
}
