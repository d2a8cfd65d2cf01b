-- How often something was asked for, in all processes together. A key is the SHA-256 of whom it is about; it is free
-- again at `free_at`. What a crash forgets here has only been counted.

create unlogged table rate_limits (
  key bytea primary key,
  free_at timestamptz not null
);
create index rate_limits_free on rate_limits (free_at);

-- Nobody decides a request of their own, and no machine decides at all.

create or replace function refuse_self_decision() returns trigger language plpgsql as $$
begin
  if exists (select from access_requests r join identities s on s.id = r.subject_id
             where r.id = new.request_id and (new.approver_id in (r.requester_id, r.subject_id, s.owner_id)
               or exists (select from identity_delegates d
                          where d.identity_id = r.subject_id and d.delegate_id = new.approver_id))) then
    raise exception 'nobody decides a request of their own' using errcode = 'HP002';
  end if;
  if exists (select from identities i where i.id = new.approver_id and i.kind <> 'human') then
    raise exception 'only people decide' using errcode = 'HP002';
  end if;
  return new;
end $$;
