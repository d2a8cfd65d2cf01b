/** Puts a secret's name where its value stands. */
export type Mask = { add(name: string, value: string): void; apply(text: string): string }

const SHORTEST_PART = 8
// Segments of a path are words more often than keys.
const SHORTEST_SEGMENT = 16

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

const escapeStrictly = (text: string): string =>
  text.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

function urlForms(value: string): string[] {
  const component = encodeURIComponent(value)
  const forms = [
    component,
    encodePath(value),
    encodeURI(value),
    new URL(`https://host/?${component}`).search.slice(1),
    new URLSearchParams({ value }).toString().slice('value='.length),
    escapeStrictly(component),
    escapeStrictly(encodePath(value)),
    escapeStrictly(component).replaceAll('%20', '+'),
  ]
  return forms.flatMap((form) => [form, lowerCaseEscapes(form)])
}

const asUnit = (character: string) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
const asUpperUnit = (character: string) => asUnit(character).toUpperCase().replace('U', 'u')

/** What the encoders of common languages make of it: they differ in what they write as a number besides what they must. */
function jsonForms(value: string): string[] {
  const form = JSON.stringify(value).slice(1, -1)
  const cautious = form.replaceAll(String.raw`\"`, String.raw`\u0022`)
  const numbered = [asUnit, asUpperUnit].flatMap((as) => [
    form.replaceAll(/[^ -~]/g, as),
    form.replaceAll(/[<>&\u2028\u2029]/g, as),
    form.replaceAll(/[<>&]|[^ -~]/g, as),
    cautious.replaceAll(/[<>&'+`]|[^ -~]/g, as),
  ])
  return [form, ...numbered].flatMap((each) => [each, each.replaceAll('/', String.raw`\/`)])
}

const quotesInHtml = [
  ['"', "'"],
  ['&quot;', "'"],
  ['&quot;', '&#039;'],
  ['&quot;', '&#39;'],
  ['&quot;', '&#x27;'],
  ['&quot;', '&apos;'],
  ['&#34;', '&#39;'],
] as const

function htmlForms(value: string): string[] {
  const text = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return quotesInHtml.map(([double, single]) => text.replaceAll('"', double).replaceAll("'", single))
}

const spellings = (text: string): string[] => [
  text,
  ...urlForms(text),
  ...jsonForms(text),
  ...htmlForms(text),
]

/** What of an address tells it on its own. */
function addressParts(value: string): string[] {
  if (!URL.canParse(value)) return []
  const { href, pathname, search, searchParams, password } = new URL(value)
  const keys = pathname.split('/').filter((segment) => segment.length >= SHORTEST_SEGMENT)
  return [href, `${pathname}${search}`, pathname, password, ...searchParams.values(), ...keys]
}

const isTelling = (part: string) => part.length >= SHORTEST_PART

function formsOf(value: string): string[] {
  const parts = [value, ...[value.trim(), ...addressParts(value)].filter(isTelling)]
  const lines = /[\r\n]/.test(value) ? value.split(/[\r\n]+/).filter(isTelling) : []
  const encoded = parts.flatMap((part) => {
    const hex = Buffer.from(part).toString('hex')
    return [...spellings(part), part.toLowerCase(), hex, hex.toUpperCase(), ...base64Forms(part)]
  })
  return [...encoded, ...lines.flatMap(spellings)]
}

// Every text is searched for every form: without an end of them a script could keep the product busy with that alone.
const MAX_FORMS = 2_000
const MAX_FORM_CHARS = 8_000_000

/**
 * Finds the values that were added as they are, line by line, and in base64, URL, JSON, HTML and hex encoding. A server
 * that answers with a value in another guise gets past it: masking is the last of the walls, not the only one.
 */
export function createMask(): Mask {
  const names = new Map<string, string>()
  let forms: string[] = []
  return {
    add(name, value) {
      const found = [...new Set([...forms, ...formsOf(value)])]
      const chars = found.reduce((sum, form) => sum + form.length, 0)
      if (found.length > MAX_FORMS || chars > MAX_FORM_CHARS)
        throw new Error(`the secret ${name} is too large, or has too many lines, to be used here`)
      for (const form of found) if (!names.has(form)) names.set(form, name)
      forms = found.sort((one, other) => other.length - one.length)
    },
    apply: (text) =>
      forms.reduce(
        (masked, form) => masked.replaceAll(form, () => `[secret ${names.get(form) ?? ''}]`),
        text,
      ),
  }
}
