import { expect, test } from 'vitest'
import { z } from 'zod'

import { sayIssue } from '../../api/plain-words.ts'
import { CredentialInput } from '../../domain/credential.ts'
import { IdentityInput } from '../../domain/directory.ts'
import { PersonalAccessTokenInput } from '../../domain/personal-access-token.ts'
import { SecretInput } from '../../domain/secret.ts'

const said = (schema: z.ZodType, input: unknown) =>
  schema
    .safeParse(input, { error: sayIssue })
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)

const person = { email: 'ann@example.com', display_name: 'Ann' }
const token = { name: 'ci', scopes: ['read'], expires_at: '2026-11-23T10:00:00Z' }

test.each([
  [IdentityInput, { ...person, email: ' ' }, 'email: must not be empty'],
  [IdentityInput, { email: person.email }, 'display_name: is required'],
  [IdentityInput, { ...person, rotation_days: 0 }, 'rotation_days: must be at least 1'],
  [IdentityInput, { ...person, rotation_days: 1.5 }, 'rotation_days: must be a whole number'],
  [IdentityInput, { ...person, rotation_days: 9_999 }, 'rotation_days: must be at most 3650'],
  [IdentityInput, { ...person, owner_id: 'bob' }, 'owner_id: must be an id (UUID)'],
  [IdentityInput, { ...person, status: 'on' }, 'status: must be one of active, disabled'],
  [SecretInput, { value: 'abc', hosts: [] }, 'value: must have at least 4 characters'],
  [PersonalAccessTokenInput, { ...token, scopes: [] }, 'scopes: must not be empty'],
  [PersonalAccessTokenInput, { ...token, scopes: 'read' }, 'scopes: must be a list'],
  [
    PersonalAccessTokenInput,
    { ...token, expires_at: 'tomorrow' },
    'expires_at: must be a date and time, such as 2026-11-23T10:00:00Z',
  ],
  [CredentialInput, { type: 'public_key', jwk: 'pem' }, 'jwk: must be an object'],
  [CredentialInput, { type: 'public_key', jwk: {} }, 'jwk.kty: must be one of EC, RSA, OKP'],
])('%#: a person can read what is wrong', (schema, input, sentence) => {
  expect(said(schema, input)).toEqual([sentence])
})

test('what a schema says itself is said', () => {
  expect(said(IdentityInput, { ...person, display_name: '' })).toEqual(['display_name: must not be blank'])
})
