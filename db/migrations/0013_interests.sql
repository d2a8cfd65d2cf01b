-- Whoever can act as an identity has an interest of their own in what it asks for.

-- Who made each credential, and may so hold what it is shown by; where a machine made it, who could act as that machine
-- then. Kept for a while after the credential has ended.
create table credential_makers (
  credential_id uuid not null,
  maker_id uuid not null references identities,
  identity_id uuid not null references identities,
  ends_at timestamptz,
  primary key (credential_id, maker_id)
);
create index credential_makers_identity on credential_makers (identity_id, maker_id);

-- Who can act as an identity now: itself, its owner, its delegates, and the makers of its credentials, until the last
-- token that an ended one was good for has ended too (300 seconds, and what clocks differ).
create function actors_of(who uuid) returns setof uuid language sql stable as $$
  select who
  union all
  select i.owner_id from identities i where i.id = who and i.owner_id is not null
  union all
  select d.delegate_id from identity_delegates d where d.identity_id = who
  union all
  select m.maker_id from credential_makers m
  where m.identity_id = who and (m.ends_at is null or m.ends_at > clock_timestamp() - interval '6 minutes')
$$;

create function note_credential_makers() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into credential_makers (credential_id, maker_id, identity_id, ends_at)
    select distinct new.id, a.id, new.identity_id, new.expires_at from actors_of(new.created_by) a (id)
    where a.id is not null;
  elsif tg_op = 'UPDATE' then
    update credential_makers set ends_at = new.expires_at where credential_id = new.id;
  else
    update credential_makers set ends_at = least(ends_at, clock_timestamp()) where credential_id = old.id;
  end if;
  return null;
end $$;
create trigger credentials_makers after insert or delete or update of expires_at on credentials
  for each row execute function note_credential_makers();

-- Oldest first, as they were made: what a machine made is its makers'.
do $$
declare
  made credentials;
begin
  for made in select * from credentials where created_by is not null order by created_at, id loop
    insert into credential_makers (credential_id, maker_id, identity_id, ends_at)
    select distinct made.id, a.id, made.identity_id, made.expires_at from actors_of(made.created_by) a (id);
  end loop;
end $$;

-- Who could act as the requester or the subject when the request was made: to hand the identity over afterwards, or to
-- delete its credential, makes nobody impartial.
create table request_interests (
  request_id uuid not null references access_requests,
  identity_id uuid not null references identities,
  primary key (request_id, identity_id)
);

create function note_request_interests() returns trigger language plpgsql as $$
begin
  insert into request_interests (request_id, identity_id)
  select new.id, a.id from actors_of(new.requester_id) a (id)
  union
  select new.id, a.id from actors_of(new.subject_id) a (id) where new.subject_id <> new.requester_id;
  return null;
end $$;
create trigger access_requests_interests after insert on access_requests
  for each row when (new.status = 'pending') execute function note_request_interests();

insert into request_interests (request_id, identity_id)
select r.id, a.id from access_requests r, actors_of(r.requester_id) a (id) where r.status in ('pending', 'approved')
union
select r.id, a.id from access_requests r, actors_of(r.subject_id) a (id) where r.status in ('pending', 'approved');

-- The one rule of an interest of one's own: whoever could act as requester or subject when it was asked, or can now.
create function interested_in(request uuid, requester uuid, subject uuid) returns setof uuid language sql stable as $$
  select i.identity_id from request_interests i where i.request_id = request
  union all
  select a.id from actors_of(requester) a (id)
  union all
  select a.id from actors_of(subject) a (id) where subject <> requester
$$;

-- As in 0001, less all who have an interest of their own.
create or replace function eligible_approvers(request access_requests)
returns table (identity_id uuid, email text, display_name text)
language sql stable as $$
  select distinct i.id, i.email, i.display_name
  from identities i
  join memberships m on m.identity_id = i.id
  join groups g on g.id = m.group_id
  where i.kind = 'human' and i.status = 'active'
    and (i.expires_at is null or i.expires_at > clock_timestamp())
    and (m.expires_at is null or m.expires_at > clock_timestamp())
    and (g.expires_at is null or g.expires_at > clock_timestamp())
    and (m.group_id = any (request.approver_group_ids)
      or (request.approver_group_ids = '{}' and 'access_requests.manage' = any (g.permissions))
      or (request.escalated_at is not null and m.group_id = request.escalation_group_id))
    and not exists (select from interested_in(request.id, request.requester_id, request.subject_id) own (id)
                    where own.id = i.id)
$$;

create or replace function refuse_self_decision() returns trigger language plpgsql as $$
begin
  if exists (select from access_requests r, interested_in(r.id, r.requester_id, r.subject_id) own (id)
             where r.id = new.request_id and own.id = new.approver_id) then
    raise exception 'nobody decides a request of their own' using errcode = 'HP002';
  end if;
  if exists (select from identities i where i.id = new.approver_id and i.kind <> 'human') then
    raise exception 'only people decide' using errcode = 'HP002';
  end if;
  return new;
end $$;

-- What a personal access token may be limited to: application tokens have a scope of their own.
alter table personal_access_tokens drop constraint personal_access_tokens_scopes_check,
  add constraint personal_access_tokens_scopes_check
    check (scopes <> '{}' and scopes <@ '{read,request,decide,token,admin}');

-- What the caller might do when an answer was kept; whoever may do less is not shown it again.
alter table idempotency_keys add column permissions text[];
