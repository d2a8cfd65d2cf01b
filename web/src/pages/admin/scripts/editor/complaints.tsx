import { Button, Stack, Text } from '@mantine/core'

import classes from './code-editor.module.css'

/** `line` and `column` count from 1, `at` from the beginning of the text. */
export type Place = { line: number; column: number; at: number; message: string }

const shown = 20

/** What is wrong with the script, one after the other; each leads to its place. Undefined: not looked at yet. */
export function Complaints({
  places,
  onShow,
}: {
  places: Place[] | undefined
  onShow: (at: number) => void
}) {
  return (
    <Stack gap="xs">
      <Text role="status" size="sm" c="dimmed" id="editor-help">
        {places === undefined && 'Checking types…'}
        {places?.length === 0 && 'No type errors.'}
        {places !== undefined &&
          places.length > 0 &&
          `${places.length} ${places.length === 1 ? 'error' : 'errors'}. Types are checked here alone: what compiles can be saved.`}
      </Text>
      {places !== undefined && places.length > 0 && (
        <ul className={classes.complaints} aria-label="Errors in the script">
          {places.slice(0, shown).map(({ line, column, at, message }, index) => (
            <li key={index}>
              <Button size="compact-xs" variant="default" onClick={() => onShow(at)}>
                {`Line ${line}, column ${column}`}
              </Button>
              <span>{message}</span>
            </li>
          ))}
        </ul>
      )}
    </Stack>
  )
}
