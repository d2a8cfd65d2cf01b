-- What an identity provider keeps here by SCIM. Its token is kept as SHA-256 of more than 256 random bits.

create table scim_tokens (
  id uuid primary key,
  name text not null,
  token_hash bytea not null unique,
  may_manage_privileged_groups boolean not null,
  created_by uuid references identities,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  last_used_at timestamptz
);
create unique index scim_tokens_name on scim_tokens (lower(name));

-- What a provider says of a person beyond what an identity has. A person whom it deleted is disabled, and gone for it.
create table scim_users (
  identity_id uuid primary key references identities,
  external_id text,
  given_name text,
  family_name text,
  deleted_at timestamptz
);
create index scim_users_external_id on scim_users (external_id);

-- The groups whose people a provider keeps: those that it made, and those that an admin linked.
create table scim_groups (
  group_id uuid primary key references groups on delete cascade,
  external_id text,
  is_linked boolean not null
);
create index scim_groups_external_id on scim_groups (external_id);
