import type { Context } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'

import { DomainError } from '../../domain/errors.ts'
import type { Env } from '../router.ts'

const session = 'hallpass_session'

/** What a sign-in at a provider is bound to: the browser that began it. */
const attempt = 'hallpass_sign_in'
export const attemptSeconds = 600

type Attributes = { path: '/'; httpOnly: true; sameSite: 'Lax'; secure: boolean; prefix?: 'host' }

const isSecure = (c: Context<Env>): boolean => c.get('deps').sign_in.public_url.startsWith('https:')

/** Only a secure cookie can have the prefix, by which no other host of the domain can set it. */
const attributesOf = (c: Context<Env>): Attributes => ({
  path: '/',
  httpOnly: true,
  sameSite: 'Lax',
  secure: isSecure(c),
  ...(isSecure(c) && { prefix: 'host' }),
})

/** Two of one name: somebody put one beside ours. @throws DomainError `unauthenticated` */
function read(c: Context<Env>, name: string): string | undefined {
  const full = isSecure(c) ? `__Host-${name}` : name
  const pairs = (c.req.header('cookie') ?? '').split(';').map((pair) => pair.trim())
  const values = pairs
    .filter((pair) => pair.startsWith(`${full}=`))
    .map((pair) => pair.slice(full.length + 1))
  if (values.length > 1) throw new DomainError('unauthenticated', `There is more than one cookie ${full}.`)
  return values[0]
}

export const findSessionCookie = (c: Context<Env>): string | undefined => read(c, session)
export const findAttemptCookie = (c: Context<Env>): string | undefined => read(c, attempt)

/** Without an age: it goes when the browser does, or before, when the session ends. */
export const setSessionCookie = (c: Context<Env>, token: string): void =>
  setCookie(c, session, token, attributesOf(c))

export const clearSessionCookie = (c: Context<Env>): void => void deleteCookie(c, session, attributesOf(c))

export const setAttemptCookie = (c: Context<Env>, secret: string): void =>
  setCookie(c, attempt, secret, { ...attributesOf(c), maxAge: attemptSeconds })

export const clearAttemptCookie = (c: Context<Env>): void => void deleteCookie(c, attempt, attributesOf(c))
