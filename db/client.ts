import postgres from 'postgres'

import { begin } from './begin.ts'

/** A pool or a transaction: what a query function takes. */
export type Db = postgres.ISql<Types>
export type Sql = postgres.Sql<Types>
export type Tx = postgres.TransactionSql<Types>
type Types = { timestamptz: string | Date }

/** Times leave the database as RFC 3339 in UTC with milliseconds, so that no layer has to convert them. */
const timestamptz: postgres.PostgresType<string | Date> = {
  to: 1184,
  from: [1184],
  serialize: (value: string | Date) => (value instanceof Date ? value.toISOString() : value),
  parse: (text: string) => new Date(text).toISOString(),
}

/** @param url `postgres://user:password@host:port/database`. Statements are ended by the server after 4 s. */
export function connect(url: string, { max = 10, statement_timeout_ms = 4_000 } = {}): Sql {
  return postgres(url, {
    max,
    connect_timeout: 5,
    idle_timeout: 60,
    onnotice: () => {},
    types: { timestamptz },
    connection: {
      application_name: 'hallpass',
      statement_timeout: statement_timeout_ms,
      // A frozen process must not hold a request against its revocation.
      idle_in_transaction_session_timeout: 10_000,
      TimeZone: 'UTC',
    },
  })
}

type Query = postgres.PendingQuery<readonly (object | undefined)[]>

/**
 * The rows of a query, whose shape the caller states. postgres.js can hand a query a result with holes when the one
 * before it on the same connection failed part-way through its rows; that is an error here, never data.
 */
export async function rows<Row = object>(query: Query): Promise<Row[]> {
  return [...(await query)].map((row) => {
    if (row === undefined) throw new Error('the database answered with an incomplete result')
    return row as Row
  })
}

export async function findRow<Row = object>(query: Query): Promise<Row | undefined> {
  return (await rows<Row>(query))[0]
}

/** The only row of a query that always has one. */
export async function getRow<Row>(query: Query): Promise<Row> {
  const row = await findRow<Row>(query)
  if (row === undefined) throw new Error('the database answered with no row')
  return row
}

/** Deadlock, serialization failure: nothing happened, and the next attempt may well succeed. */
const isPassing = (error: unknown): boolean =>
  isDatabaseError(error) && ['40P01', '40001'].includes(error.code)

/**
 * Runs `work` in one transaction (READ COMMITTED): all of it happens, or none. The database may undo it in favour of
 * another one, so it is tried up to three times.
 */
export async function transaction<Result>(sql: Sql, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await begin(sql, work)
    } catch (error) {
      if (!isPassing(error) || attempt === 3) throw error
    }
  }
}

type DatabaseError = Error & { code: string; constraint_name?: string }

const isDatabaseError = (error: unknown): error is DatabaseError => error instanceof postgres.PostgresError

export const violates = (error: unknown, constraint: string): boolean =>
  isDatabaseError(error) && error.constraint_name === constraint

/** A value that no row can have, e.g. an id that is no UUID: trying again changes nothing. */
export const isBadValue = (error: unknown): boolean => isDatabaseError(error) && error.code.startsWith('22')

const outages = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
])

/** The database cannot be reached, is starting or stopping, or ended the statement for taking too long. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false
  return outages.has(error.code) || /^(08|40|53|57)/.test(error.code)
}
