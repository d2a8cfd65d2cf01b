/** Puts a secret's name where its value stands. */
export type Mask = { add(name: string, value: string): void; apply(text: string): string }

const SHORTEST_PART = 8

const unpadded = (text: string) => text.replace(/=+$/, '')

/** The characters of base64 that are the same wherever the value stands in what was encoded. */
function base64Cores(value: string): string[] {
  const bytes = Buffer.from(value)
  return [0, 1, 2].flatMap((offset) => {
    const text = unpadded(Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64'))
    const start = offset === 0 ? 0 : offset + 1
    const end = (offset + bytes.length) % 3 === 0 ? text.length : text.length - 1
    const core = text.slice(start, end)
    return core.length >= SHORTEST_PART ? [core] : []
  })
}

const base64Forms = (value: string): string[] =>
  [
    Buffer.from(value).toString('base64'),
    unpadded(Buffer.from(value).toString('base64')),
    ...base64Cores(value),
  ].flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])

const lowerCaseEscapes = (text: string) => text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())

/** Escaped for the path of a URL: slashes stay. */
export const encodePath = (value: string): string => value.split('/').map(encodeURIComponent).join('/')

function urlForms(value: string): string[] {
  const forms = [
    encodeURIComponent(value),
    encodePath(value),
    encodeURI(value),
    new URL(`https://host/?${encodeURIComponent(value)}`).search.slice(1),
    new URLSearchParams({ value }).toString().slice('value='.length),
  ]
  return forms.flatMap((form) => [form, lowerCaseEscapes(form)])
}

function jsonForms(value: string): string[] {
  const form = JSON.stringify(value).slice(1, -1)
  return [form, form.replaceAll('/', String.raw`\/`)]
}

/** What of a value tells it on its own: the path of an address, the lines of a key. */
function partsOf(value: string): string[] {
  const url = URL.canParse(value) ? new URL(value) : undefined
  const address =
    url === undefined ? [] : [url.href, `${url.pathname}${url.search}`, url.pathname, url.password]
  const lines = /[\r\n]/.test(value) ? value.split(/[\r\n]+/) : []
  return [value, ...[...address, ...lines].filter((part) => part.length >= SHORTEST_PART)]
}

const formsOf = (value: string): string[] =>
  partsOf(value).flatMap((part) => [
    part,
    part.toLowerCase(),
    Buffer.from(part).toString('hex'),
    ...base64Forms(part),
    ...urlForms(part),
    ...jsonForms(part),
  ])

/**
 * Finds the values that were added as they are, and in base64, URL, JSON and hex encoding. A server that answers with a
 * value in another guise gets past it: masking is the last of the walls, not the only one.
 */
export function createMask(): Mask {
  const names = new Map<string, string>()
  let forms: string[] = []
  return {
    add(name, value) {
      for (const form of formsOf(value)) names.set(form, name)
      forms = [...names.keys()].sort((one, other) => other.length - one.length)
    },
    apply: (text) =>
      forms.reduce(
        (masked, form) => masked.replaceAll(form, () => `[secret ${names.get(form) ?? ''}]`),
        text,
      ),
  }
}
