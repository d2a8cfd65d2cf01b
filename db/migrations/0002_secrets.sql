-- Secrets of scripts: `value` is sealed for its row by a key that is not in the database.

create table secrets (
  id uuid primary key,
  name text not null unique check (name ~ '^[A-Za-z][A-Za-z0-9_]{0,99}$'),
  hosts text[] not null,
  value bytea not null,
  key_id text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
