-- How non-human identities prove who they are. A secret is kept as SHA-256 of 256 random bits.

create table credentials (
  id uuid primary key,
  identity_id uuid not null references identities,
  type text not null check (type in ('client_secret', 'public_key', 'federated')),
  secret_hash bytea unique,
  kid text,
  jwk jsonb,
  issuer text,
  audience text,
  subject text,
  expires_at timestamptz,
  created_by uuid references identities,
  created_at timestamptz not null default clock_timestamp(),
  -- to the minute
  last_used_at timestamptz,
  check ((type = 'client_secret') = (secret_hash is not null)),
  check ((type = 'public_key') = (kid is not null and jwk is not null)),
  check ((type = 'federated') = (issuer is not null and audience is not null and subject is not null))
);
create index credentials_identity on credentials (identity_id, id);
create unique index credentials_kid on credentials (identity_id, kid);
create unique index credentials_workload on credentials (issuer, subject, audience);

-- Tokens that are refused before their end.
create table revoked_tokens (
  jti uuid primary key,
  expires_at timestamptz not null
);
create index revoked_tokens_end on revoked_tokens (expires_at);

-- Ids of assertions and proofs, as SHA-256: each is taken once, by whichever process.
create table used_ids (
  hash bytea primary key,
  expires_at timestamptz not null
);
create index used_ids_end on used_ids (expires_at);
