-- The keys that sign the product's tokens. `private_part` is sealed for its row by a key that is not in the database,
-- and taken away once the key signs no more; the row stays, so that a key that was removed is never imported again.

create table signing_keys (
  id uuid primary key,
  kid text not null unique,
  source text not null check (source in ('generated', 'imported')),
  public_part jsonb not null,
  private_part bytea,
  key_id text,
  created_at timestamptz not null default clock_timestamp(),
  signs_from timestamptz not null,
  stops_at timestamptz,
  removed_at timestamptz,
  check ((private_part is null) = (key_id is null)),
  check (removed_at is null or private_part is null)
);

insert into guards values ('signing_keys');
