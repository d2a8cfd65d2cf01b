import { createPrivateKey } from 'node:crypto'
import { isIP } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { z } from 'zod'

import { levelNames } from '../sandbox/walls/levels.ts'
import { parseSecretsKeys } from './secrets-key.ts'

/** The folder of this checkout. */
export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/** The environment cannot be used. The message has one line per variable: its name and what is allowed, never its value. */
export class ConfigError extends Error {}

const port = wholeNumber(1, 65_535)

/** The environment variables that the product reads, by name; one that is empty counts as not set. */
const Environment = z.object({
  PORT: port.default(8080),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: url(['postgres:', 'postgresql:']).optional(),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^(\[[\da-f:]+\]|[\w.-]+):\d{1,5}$/i, 'must be HOST:PORT')
    .optional(),
  TEMPORAL_NAMESPACE: z
    .string()
    .regex(/^[\w.-]{2,255}$/, 'must be 2 to 255 letters, digits, dots, dashes or underscores')
    .default('hallpass'),
  TEMPORAL_UI_PORT: port.optional(),
  TEMPORAL_UI_URL: url(['http:', 'https:']).optional(),
  PUBLIC_URL: url(['http:', 'https:']).optional(),
  MAX_DURATION_MINS: wholeNumber(1, 5_256_000).default(43_200),
  ALLOW_PRIVATE_EGRESS: z
    .enum(['true', 'false'], 'must be true or false')
    .default('false')
    .transform((value) => value === 'true'),
  SANDBOX_MIN_LEVEL: z.enum(levelNames, `must be ${levelNames.join(', ')}`).optional(),
  SIGNING_KEY: z
    .string()
    .refine(isEs256PrivateKey, 'must be a private ES256 key (EC, P-256), as a JWK in JSON or as PKCS8 PEM')
    .optional(),
  SECRETS_KEY: z
    .string()
    .refine(
      (text) => parseSecretsKeys(text) !== undefined,
      'must be 32 bytes in base64, or several such keys with commas between, the newest first',
    )
    .transform(parseSecretsKeys)
    .optional(),
  SIGNING_KEY_ROTATION_DAYS: wholeNumber(1, 3_650).default(90),
  SIGNING_KEY_OVERLAP_SECONDS: wholeNumber(1, 86_400).default(600),
  POSTGRES_PORT: port.optional(),
  TEMPORAL_PORT: port.optional(),
  RUN_RETENTION_DAYS: wholeNumber(1, 36_500).default(90),
  READS_PER_MINUTE: wholeNumber(1, 1_000_000).default(6_000),
  WRITES_PER_MINUTE: wholeNumber(1, 1_000_000).default(600),
  SIGN_INS_PER_MINUTE: wholeNumber(1, 1_000_000).default(60),
  TOKENS_PER_MINUTE: wholeNumber(1, 1_000_000).default(6_000),
  SCIM_CALLS_PER_MINUTE: wholeNumber(1, 1_000_000).default(6_000),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((proxy) => proxy.trim())
        .filter((proxy) => proxy !== ''),
    )
    .refine(
      (proxies) => proxies.every(isNetwork),
      'must be IP addresses or ranges (10.0.0.0/8) with commas between',
    ),
})

/** What an operator can set. Ports and URLs that are absent are found at start. */
export type Config = Readonly<ReturnType<typeof loadConfig>>

/** Reads the configuration from environment variables; a ConfigError names every one that is not allowed. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>) {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const { success, data, error } = Environment.safeParse(given)
  if (!success) {
    throw new ConfigError(error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n'))
  }
  return {
    port: data.PORT,
    data_dir: path.resolve(projectRoot, data.DATA_DIR),
    database_url: data.DATABASE_URL,
    temporal_address: data.TEMPORAL_ADDRESS,
    temporal_namespace: data.TEMPORAL_NAMESPACE,
    temporal_ui_port: data.TEMPORAL_UI_PORT,
    temporal_ui_url: data.TEMPORAL_UI_URL,
    public_url: data.PUBLIC_URL?.replace(/\/+$/, '') ?? `http://127.0.0.1:${data.PORT}`,
    max_duration_mins: data.MAX_DURATION_MINS,
    allow_private_egress: data.ALLOW_PRIVATE_EGRESS,
    sandbox_min_level: data.SANDBOX_MIN_LEVEL,
    signing_key: data.SIGNING_KEY,
    signing_key_rotation_days: data.SIGNING_KEY_ROTATION_DAYS,
    signing_key_overlap_seconds: data.SIGNING_KEY_OVERLAP_SECONDS,
    secrets_key: data.SECRETS_KEY,
    postgres_port: data.POSTGRES_PORT,
    temporal_port: data.TEMPORAL_PORT,
    run_retention_days: data.RUN_RETENTION_DAYS,
    reads_per_minute: data.READS_PER_MINUTE,
    writes_per_minute: data.WRITES_PER_MINUTE,
    sign_ins_per_minute: data.SIGN_INS_PER_MINUTE,
    tokens_per_minute: data.TOKENS_PER_MINUTE,
    scim_calls_per_minute: data.SCIM_CALLS_PER_MINUTE,
    trusted_proxies: data.TRUSTED_PROXIES,
  }
}

function wholeNumber(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,9}$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message)
}

function url(protocols: string[]) {
  const forms = protocols.map((protocol) => `${protocol}//…`).join(' or ')
  return z.string().refine((value) => protocols.includes(protocolOf(value)), `must be a URL, ${forms}`)
}

function protocolOf(value: string): string {
  return URL.canParse(value) ? new URL(value).protocol : ''
}

function isNetwork(text: string): boolean {
  const [, address = '', bits = '0'] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  return Number(bits) <= (isIP(address) === 6 ? 128 : 32) && isIP(address) !== 0
}

function isEs256PrivateKey(text: string): boolean {
  try {
    const key = text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      : createPrivateKey(text)
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}
