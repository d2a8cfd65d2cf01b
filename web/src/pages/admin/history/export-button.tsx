import { Button, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'

import { Refusal } from '../../../ui/states.tsx'
import { csvOf } from './csv.ts'
import { readAll, type Filters } from './history-query.ts'

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}

/** Hands out what the filters let through, all of it, as a table for spreadsheets. */
export function ExportButton({ filters }: { filters: Filters }) {
  const [count, setCount] = useState(0)
  const exporting = useMutation({
    mutationFn: () => readAll(filters, setCount),
    onSuccess: (requests) =>
      download(`access-requests-${new Date().toISOString().slice(0, 10)}.csv`, csvOf(requests)),
  })
  return (
    <Group gap="sm">
      <Button variant="default" loading={exporting.isPending} onClick={() => exporting.mutate()}>
        Export as CSV
      </Button>
      <Text role="status" size="sm" c="dimmed" className="tabular">
        {exporting.isPending && count > 0 && `${count} read`}
        {exporting.isSuccess && `${exporting.data.length} exported`}
      </Text>
      {exporting.error !== null && <Refusal error={exporting.error} />}
    </Group>
  )
}
