-- Who made a person, or set the address that they sign in by, may be able to sign in as them; and whom they could act
-- as, or who could act as them, then. Nothing of it is ever forgotten.
create table identity_makers (
  identity_id uuid not null references identities,
  maker_id uuid not null references identities,
  primary key (identity_id, maker_id),
  check (identity_id <> maker_id)
);
create index identity_makers_maker on identity_makers (maker_id, identity_id);

-- Who stands behind what somebody does: who can act as them, and who made those.
create function makers_by(actor uuid) returns setof uuid language sql stable as $$
  select a.id from actors_of(actor) a (id)
  union
  select m.maker_id from actors_of(actor) a (id) join identity_makers m on m.identity_id = a.id
$$;

create function note_makers(person uuid, actor uuid) returns void language sql as $$
  insert into identity_makers (identity_id, maker_id)
  select person, b.id from makers_by(actor) b (id) where b.id <> person
  on conflict do nothing
$$;

-- Oldest first, as they were made: who was made by whom was made before.
do $$
declare
  made record;
begin
  for made in
    select e.object_id as person, e.actor_id as actor from audit_events e
    join identities i on i.id = e.object_id and i.kind = 'human'
    join identities a on a.id = e.actor_id
    where e.kind = 'identity.created' or (e.kind = 'identity.updated' and e.detail -> 'after' ?| '{email,kind}')
    order by e.seq
  loop
    perform note_makers(made.person, made.actor);
  end loop;
end $$;

-- Whoever manages access requests for good may grant all there is: to make somebody up gives them nothing.
create function manages_for_good(who uuid) returns boolean language sql stable as $$
  select exists (
    select from memberships m join groups g on g.id = m.group_id join identities i on i.id = m.identity_id
    where m.identity_id = who and 'access_requests.manage' = any (g.permissions)
      and i.status = 'active' and i.expires_at is null and m.expires_at is null and g.expires_at is null)
$$;

-- Whoever could act as requester or subject when it was asked, or can now.
create function acting_in(request uuid, requester uuid, subject uuid) returns setof uuid language sql stable as $$
  select i.identity_id from request_interests i where i.request_id = request
  union all
  select a.id from actors_of(requester) a (id)
  union all
  select a.id from actors_of(subject) a (id) where subject <> requester
$$;

-- The one rule of an interest of one's own: those, who made one of them, and whom one of them made. A function of its
-- own, whose plan is kept: to plan it within each statement that asks takes longer than to run it.
create or replace function interested_in(request uuid, requester uuid, subject uuid) returns setof uuid
language plpgsql stable as $$
begin
  return query
  with own as materialized (
    select a.id from acting_in(request, requester, subject) a (id)
  )
  select own.id from own
  union all
  select m.maker_id from own join identity_makers m on m.identity_id = own.id where not manages_for_good(m.maker_id)
  union all
  select m.identity_id from own join identity_makers m on m.maker_id = own.id where not manages_for_good(own.id);
end $$;

-- As in 0013; who has an interest of their own is asked for once, not for each of the approvers.
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
    and i.id <> all (array(
      select own.id from interested_in(request.id, request.requester_id, request.subject_id) own (id)))
$$;

-- Who disabled an identity by hand: until somebody enables it by hand, no identity provider does. Null: it is enabled,
-- or a provider disabled it.
alter table identities add column disabled_by uuid references identities;

update identities i set disabled_by = said.actor_id
from (
  select distinct on (object_id) object_id, actor_id, coalesce(detail -> 'after' ->> 'status', detail ->> 'status') as status
  from audit_events
  where kind = 'identity.created' or (kind = 'identity.updated' and detail -> 'after' ? 'status')
  order by object_id, seq desc
) said
join identities a on a.id = said.actor_id
where said.object_id = i.id and said.status = 'disabled' and i.status = 'disabled';
