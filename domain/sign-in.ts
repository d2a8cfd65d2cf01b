import { z } from 'zod'

import { IdentityInput } from './directory.ts'

/** Why a sign-in was refused: what the sign-in page is told, and never more. */
export const signInErrors = [
  'cancelled',
  'expired',
  'other_browser',
  'provider_unavailable',
  'provider_refused',
  'email_not_verified',
  'email_domain_not_allowed',
  'email_taken',
  'not_registered',
  'inactive',
  'last_admin',
] as const
export type SignInError = (typeof signInErrors)[number]

/** Somebody who comes from a provider is not let in. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused'
  readonly code: SignInError

  constructor(code: SignInError, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}

const somewhere = 'http://somewhere.invalid'

/** A place on this site: a path, and nothing that a browser could read as the name of another host. */
export const isLocalPath = (text: string): boolean =>
  /^\/[^\\\p{Cc}\p{Cf}\s]{0,1999}$/u.test(text) &&
  !/^[^?#]*\/\//.test(text) &&
  URL.canParse(text, somewhere) &&
  new URL(text, somewhere).origin === somewhere

export const ReturnTo = z.string().refine(isLocalPath, 'must be a path of this site')

/** What somebody types to sign in on the embedded set-up. */
export const LocalSignIn = z.strictObject({ email: z.string().max(254) })

/** The code of a one-time link; who they are is for the first admin to say. */
export const LinkSignIn = z.strictObject({
  code: z.string().max(200),
  email: IdentityInput.shape.email.optional(),
  display_name: IdentityInput.shape.display_name.optional(),
})
export type LinkSignIn = z.infer<typeof LinkSignIn>

/** `name` is what the button says. */
export type SignInOptions = {
  providers: { id: string; name: string }[]
  /** The people of the embedded set-up; null: there is no local sign-in here. */
  local: { email: string; display_name: string }[] | null
}
