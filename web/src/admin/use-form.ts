import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState, type FormEvent, type RefObject } from 'react'

import type { Answer } from '../api/call.ts'
import { fieldErrors, isProblem } from '../api/problem.ts'
import { focusFirstInvalid } from '../ui/focus-first-invalid.ts'
import { refuseUnfinished } from '../ui/refuse-unfinished.ts'
import type { Versioned } from './queries.ts'

/** A form that is being filled in: what its fields show, and what its submission needs. */
export type Form<Draft> = {
  ref: RefObject<HTMLFormElement | null>
  draft: Draft
  set: (changes: Partial<Draft>) => void
  /** Sentences by JSON pointer. */
  errors: Record<string, string>
  error: Error | null
  isSaving: boolean
  onSubmit: (event: FormEvent) => void
}

type Options<Draft, Saved> = {
  initial: Draft
  write: (draft: Draft) => Promise<Answer<Saved>>
  /** The first part of the query keys that a save makes old. */
  keys: string[]
  said: string
  onSaved: (answer: Answer<Saved>) => void
  /** It takes the place of another form: its first field gets the focus. */
  takesFocus?: boolean
}

/** What was refused of a field says nothing of what has been typed into it since. */
const withoutTouched = (errors: Record<string, string>, touched: string[]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(errors).filter(([pointer]) => !touched.includes(pointer.split('/')[1] ?? '')),
  )

const focusFirstField = (form: HTMLFormElement | null): void =>
  form?.querySelector<HTMLElement>('input:not([readonly]), textarea, select')?.focus()

/** A form whose submission is one write; what is refused is said at its field, and the first such field gets the focus. */
export function useForm<Draft extends object, Saved>(options: Options<Draft, Saved>) {
  const client = useQueryClient()
  const ref = useRef<HTMLFormElement>(null)
  const [draft, setDraft] = useState(options.initial)
  const [touched, setTouched] = useState<string[]>([])
  const save = useMutation({
    mutationFn: async () => options.write(draft),
    onMutate: () => setTouched([]),
    onSuccess: async (answer) => {
      notifications.show({ message: options.said })
      options.onSaved(answer)
      await Promise.all(options.keys.map((key) => client.invalidateQueries({ queryKey: [key] })))
    },
  })
  const { takesFocus = false } = options
  useEffect(() => {
    if (takesFocus) focusFirstField(ref.current)
  }, [takesFocus])
  useEffect(() => {
    if (save.error !== null) focusFirstInvalid(ref.current)
  }, [save.error])
  const form: Form<Draft> = {
    ref,
    draft,
    set: (changes) => {
      setDraft((before) => ({ ...before, ...changes }))
      setTouched((before) => [...new Set([...before, ...Object.keys(changes)])])
    },
    errors: withoutTouched(fieldErrors(save.error), touched),
    error: save.error,
    isSaving: save.isPending,
    onSubmit: (event) => {
      event.preventDefault()
      if (!save.isPending && !refuseUnfinished(ref.current)) save.mutate()
    },
  }
  return { form, setDraft, save }
}

type EditOptions<Resource, Draft> = {
  loaded: Versioned<Resource>
  toDraft: (resource: Resource) => Draft
  write: (draft: Draft, etag: string | undefined, base: Resource) => Promise<Answer<Resource>>
  keys: string[]
  onSaved?: (resource: Resource) => void
  takesFocus?: boolean
}

/** What a concurrent edit needs: the state that the form began with, and the ways on. */
export type Edit<Resource, Draft> = {
  form: Form<Draft>
  base: Resource
  isConflict: boolean
  /** Shows what is saved now instead of what was typed. */
  startAnew: (now: Versioned<Resource>) => void
  /** Saves what was typed over what is saved now. */
  overwrite: (now: Versioned<Resource>) => void
}

/** Edits what exists: the save names the version that the form began with, so that nobody overwrites unawares. */
export function useEdit<Resource, Draft extends object>({
  loaded,
  toDraft,
  write,
  keys,
  onSaved,
  takesFocus = false,
}: EditOptions<Resource, Draft>): Edit<Resource, Draft> {
  const [base, setBase] = useState(loaded)
  const etag = useRef(loaded.etag)
  const startAnew = (now: Versioned<Resource>) => {
    etag.current = now.etag
    setBase(now)
    setDraft(toDraft(now.resource))
    save.reset()
  }
  const { form, setDraft, save } = useForm<Draft, Resource>({
    initial: toDraft(loaded.resource),
    write: (draft) => write(draft, etag.current, base.resource),
    keys,
    said: 'Saved.',
    takesFocus,
    onSaved: ({ body, etag }) => {
      startAnew({ resource: body, etag })
      onSaved?.(body)
    },
  })
  return {
    form,
    base: base.resource,
    isConflict: isProblem(save.error, 'precondition_failed'),
    startAnew,
    overwrite: (now) => {
      etag.current = now.etag
      save.mutate()
    },
  }
}

/** What is said of a field, or of anything in it: `/mapping_ids` answers for `/mapping_ids/0` too; a part with a name is named. */
export function errorIn(errors: Record<string, string>, pointer: string): string | undefined {
  const found = Object.entries(errors).find(([at]) => at === pointer || at.startsWith(`${pointer}/`))
  if (found === undefined) return undefined
  const part = found[0].slice(pointer.length + 1)
  return /^\d*$/.test(part) ? found[1] : `${part}: ${found[1]}`
}
