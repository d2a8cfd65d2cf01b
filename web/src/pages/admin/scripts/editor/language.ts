/** Something that the type checker says of a place in the text. */
export type Complaint = { from: number; to: number; message: string }

/** `from` null: where the word begins. */
export type Completions = {
  from: number | null
  options: { label: string; kind: string; sortText: string }[]
}

export type Ask =
  | { kind: 'check'; text: string }
  | { kind: 'complete'; text: string; at: number }
  | { kind: 'describe'; text: string; at: number; name: string }

export type Reply = { id: number; answer: Complaint[] | Completions | string | null }

let worker: Worker | undefined
let asked = 0
const waiting = new Map<number, (answer: Reply['answer']) => void>()

/** The compiler is large: it is loaded with the first editor, in a thread of its own, and kept. */
function startWorker(): Worker {
  const started = new Worker(new URL('language-worker.ts', import.meta.url), { type: 'module' })
  started.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
    waiting.get(data.id)?.(data.answer)
    waiting.delete(data.id)
  })
  return started
}

function ask(what: Ask): Promise<Reply['answer']> {
  worker ??= startWorker()
  const id = ++asked
  worker.postMessage({ id, ask: what })
  return new Promise((resolve) => waiting.set(id, resolve))
}

export const check = async (text: string): Promise<Complaint[]> => {
  const answer = await ask({ kind: 'check', text })
  return Array.isArray(answer) ? answer : []
}

export const complete = async (text: string, at: number): Promise<Completions | null> => {
  const answer = await ask({ kind: 'complete', text, at })
  return answer !== null && typeof answer === 'object' && 'options' in answer ? answer : null
}

export const describe = async (text: string, at: number, name: string): Promise<string> => {
  const answer = await ask({ kind: 'describe', text, at, name })
  return typeof answer === 'string' ? answer : ''
}
