import { canonicalHost } from './egress-host.ts'
import type { FieldError } from './errors.ts'

/** A workload as its own platform names it: all three are compared character by character. */
export type Workload = { issuer: string; audience: string; subject: string }

/** `own_issuer`: the product's; `may_be_local`: an issuer may be at a loopback address, without TLS. */
export type FederationRules = { own_issuer: string; may_be_local: boolean }

type Rule = readonly [isKept: (text: string) => boolean, detail: string]

const plainText = /^[\x21-\x7e]+$/

const isLoopback = (host: string) => /^(127(\.\d+){3}|localhost|\[::1\])$/.test(host)

/** One spelling for each issuer: as the URL parser gives it back, with or without the slash of an empty path. */
const isUsualSpelling = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  const isBare = url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  return isBare && (url.href === text || url.href === `${text}/`) && canonicalHost(url.hostname) !== undefined
}

/** Whether keys may come from this URL: by https, or from this machine where that is allowed. */
export function isTrustedScheme(text: string, may_be_local: boolean): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && may_be_local && isLoopback(hostname))
}

const withoutSlash = (text: string) => text.toLowerCase().replace(/\/+$/, '')

/** Equal but for case and a slash at the end: a reader takes one for the other. */
const looksLike = (text: string, other: string) =>
  text !== other && withoutSlash(text) === withoutSlash(other)

const issuerRules = ({ own_issuer, may_be_local }: FederationRules): readonly Rule[] => [
  [
    (text) => plainText.test(text) && !/[*?#\\]/.test(text) && isUsualSpelling(text),
    'must be a URL in its usual spelling, without query, fragment, user name or wildcard',
  ],
  [(text) => isTrustedScheme(text, may_be_local), 'must be an https URL'],
  [(text) => !/(^|[/.])xn--/.test(text), 'must not hold letters that look like others'],
  [(text) => withoutSlash(text) !== withoutSlash(own_issuer), 'must not be this product'],
]

const exactRules: readonly Rule[] = [
  [(text) => plainText.test(text), 'must be visible ASCII characters without spaces'],
  [(text) => !/[*?]/.test(text), 'must not hold wildcards'],
]

const audienceRules = ({ own_issuer }: FederationRules): readonly Rule[] => [
  ...exactRules,
  [(text) => !looksLike(text, own_issuer), `must be ${own_issuer} exactly, or something else`],
]

const gitHub = /^repo:[\w.-]+(@\d+)?\/[\w.-]+(@\d+)?:(ref:refs\/(heads|tags)\/[^:]+|environment:[^:]+)$/
const spiffe = /^spiffe:\/\/[a-z0-9._-]+(\/(?!\.{1,2}(\/|$))[\w.-]+)+$/
const kubernetes = /^system:serviceaccount:[a-z0-9.-]+:[a-z0-9.-]+$/

const isGitHub = (issuer: string) =>
  /^https:\/\/(token\.actions\.githubusercontent\.com(\/|$)|[^/]+\/_services\/token$)/.test(issuer)

/** What stands for many workloads on platforms whose subjects have a known form. */
const subjectRules = (issuer: string): readonly Rule[] => [
  ...exactRules,
  [
    (text) => !(isGitHub(issuer) || /^repo:/i.test(text)) || gitHub.test(text),
    'must name a repository and a branch, tag or environment: repo:OWNER/NAME:ref:refs/heads/main',
  ],
  [
    (text) => !/^spiffe:/i.test(text) || spiffe.test(text),
    'must be a SPIFFE id with a path: spiffe://domain/path',
  ],
  [
    (text) => !/^system:/i.test(text) || kubernetes.test(text),
    'must name a namespace and an account: system:serviceaccount:NAMESPACE:NAME',
  ],
]

function refuse(pointer: string, text: string, rules: readonly Rule[]): FieldError[] {
  const broken = rules.find(([isKept]) => !isKept(text))
  return broken === undefined ? [] : [{ pointer, detail: broken[1] }]
}

/** Why a workload is not trusted as it is written: everything that could match more than one. */
export const refuseWorkload = (
  { issuer, audience, subject }: Workload,
  rules: FederationRules,
): FieldError[] => [
  ...refuse('/issuer', issuer, issuerRules(rules)),
  ...refuse('/audience', audience, audienceRules(rules)),
  ...refuse('/subject', subject, subjectRules(issuer)),
]
