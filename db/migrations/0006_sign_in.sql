-- Who signs in, and how. What a browser or a program shows is kept as SHA-256 of at least 256 random bits.

create table sign_in_providers (
  id uuid primary key,
  name text not null,
  issuer text not null,
  client_id text not null,
  client_secret bytea,
  client_secret_key_id text,
  scopes text[] not null,
  group_claim text,
  create_identities boolean not null,
  allowed_email_domains text[] not null,
  enabled boolean not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((client_secret is null) = (client_secret_key_id is null))
);
create unique index sign_in_providers_name on sign_in_providers (lower(name));

create table sign_in_group_mappings (
  provider_id uuid not null references sign_in_providers on delete cascade,
  value text not null,
  group_id uuid not null references groups,
  primary key (provider_id, value, group_id)
);
create index sign_in_group_mappings_group on sign_in_group_mappings (group_id);

-- A provider knows a person by a subject that never changes hands; an e-mail address may.
create table sign_in_subjects (
  provider_id uuid not null references sign_in_providers on delete cascade,
  subject text not null,
  identity_id uuid not null references identities,
  created_at timestamptz not null default clock_timestamp(),
  last_used_at timestamptz not null default clock_timestamp(),
  primary key (provider_id, subject),
  unique (provider_id, identity_id)
);
create index sign_in_subjects_identity on sign_in_subjects (identity_id);

-- A membership that a provider's claim gave. One without a row here was made by hand.
create table sign_in_memberships (
  provider_id uuid not null references sign_in_providers on delete cascade,
  group_id uuid not null,
  identity_id uuid not null,
  primary key (provider_id, identity_id, group_id),
  foreign key (group_id, identity_id) references memberships on delete cascade
);
create index sign_in_memberships_membership on sign_in_memberships (group_id, identity_id);

-- A sign-in that is under way at a provider. All else that it needs is in the browser's cookie.
create table sign_in_attempts (
  state_hash bytea primary key,
  provider_id uuid not null references sign_in_providers on delete cascade,
  return_to text not null,
  expires_at timestamptz not null
);
create index sign_in_attempts_end on sign_in_attempts (expires_at);

create table sessions (
  id uuid primary key,
  token_hash bytea not null unique,
  identity_id uuid not null references identities,
  method text not null check (method in ('local', 'oidc', 'link')),
  provider_id uuid references sign_in_providers on delete cascade,
  created_at timestamptz not null default clock_timestamp(),
  last_seen_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  check ((method = 'oidc') = (provider_id is not null))
);
create index sessions_identity on sessions (identity_id);
create index sessions_end on sessions (expires_at);

create table personal_access_tokens (
  id uuid primary key,
  token_hash bytea not null unique,
  identity_id uuid not null references identities,
  name text not null,
  scopes text[] not null check (scopes <> '{}' and scopes <@ '{read,request,decide,admin}'),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  last_used_at timestamptz,
  check (expires_at <= created_at + interval '366 days 1 hour')
);
create index personal_access_tokens_identity on personal_access_tokens (identity_id, id);

-- One-time links. `identity_id` null: whoever uses it becomes the first admin.
create table sign_in_links (
  id uuid primary key,
  code_hash bytea not null unique,
  identity_id uuid references identities,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index sign_in_links_identity on sign_in_links (identity_id);
