-- Directory: who exists, what they belong to, what a target system can be asked for.

create table identities (
  id uuid primary key,
  kind text not null check (kind in ('human', 'service_account', 'workload', 'agent')),
  email text not null,
  display_name text not null,
  status text not null default 'active' check (status in ('active', 'disabled')),
  owner_id uuid references identities,
  purpose text,
  privilege_class text check (privilege_class in ('low', 'medium', 'high', 'critical')),
  rotation_days integer check (rotation_days > 0),
  expires_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (kind <> 'human' or owner_id is null)
);
create unique index identities_email on identities (lower(email));
create index identities_owner on identities (owner_id);

create table identity_delegates (
  identity_id uuid not null references identities,
  delegate_id uuid not null references identities,
  primary key (identity_id, delegate_id)
);

create table groups (
  id uuid primary key,
  kind text not null default 'standing' check (kind in ('standing', 'temporary')),
  name text not null,
  description text not null default '',
  permissions text[] not null default '{}',
  expires_at timestamptz,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((kind = 'temporary') = (name like '\_\_access\_req\_%')),
  check (kind = 'standing' or expires_at is not null)
);
create unique index groups_name on groups (lower(name));

create table memberships (
  group_id uuid not null references groups on delete cascade,
  identity_id uuid not null references identities,
  expires_at timestamptz,
  joined_at timestamptz not null default clock_timestamp(),
  primary key (group_id, identity_id)
);
create index memberships_identity on memberships (identity_id);

create table applications (
  id uuid primary key,
  name text not null,
  slug text not null unique,
  description text not null default '',
  owner_group_id uuid references groups,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index applications_name on applications (lower(name));

create table app_mappings (
  id uuid primary key,
  app_id uuid not null references applications,
  name text not null,
  claim text not null,
  value text not null,
  privilege_level text not null check (privilege_level in ('low', 'medium', 'high', 'critical')),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index app_mappings_name on app_mappings (app_id, lower(name));

create table group_mappings (
  group_id uuid not null references groups on delete cascade,
  mapping_id uuid not null references app_mappings,
  primary key (group_id, mapping_id)
);
create index group_mappings_mapping on group_mappings (mapping_id);

-- Script tasks: every save is a new immutable version.

create table script_tasks (
  id uuid primary key,
  name text not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index script_tasks_name on script_tasks (lower(name));

create table script_task_versions (
  task_id uuid not null references script_tasks on delete cascade,
  version integer not null,
  definition jsonb not null,
  code text not null,
  node_version text not null,
  created_by uuid references identities,
  created_at timestamptz not null default now(),
  primary key (task_id, version)
);

-- Templates and requests.

create table templates (
  id uuid primary key,
  name text not null,
  description text not null default '',
  app_id uuid not null references applications,
  mapping_ids uuid[] not null default '{}',
  allowed_durations integer[] not null default '{}',
  approver_group_ids uuid[] not null default '{}',
  allowed_group_ids uuid[] not null default '{}',
  prefer_requester_groups boolean not null default false,
  require_justification boolean not null default true,
  auto_approve boolean not null default false,
  notification_policy text not null default 'all'
    check (notification_policy in ('all', 'first_n', 'random_n', 'round_robin')),
  notification_count integer not null default 1 check (notification_count >= 1),
  escalation_after_mins integer check (escalation_after_mins > 0),
  escalation_group_id uuid references groups,
  custom_fields jsonb not null default '[]',
  trigger_task_id uuid references script_tasks,
  trigger_task_failure_mode text not null default 'ignore'
    check (trigger_task_failure_mode in ('ignore', 'retry', 'block')),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check ((escalation_after_mins is null) = (escalation_group_id is null))
);
create unique index templates_name on templates (lower(name));

create table round_robin_cursors (
  template_id uuid primary key references templates on delete cascade,
  position integer not null default 0
);

create table access_requests (
  id uuid primary key,
  status text not null default 'pending'
    check (status in ('pending', 'approved', 'denied', 'revoked', 'expired')),
  decision text check (decision in ('approved', 'denied', 'cancelled')),
  template_id uuid references templates on delete set null,
  template_name text not null,
  app_id uuid not null,
  app_name text not null,
  mappings jsonb not null,
  snapshot jsonb not null,
  requester_id uuid not null references identities,
  requester_email text not null,
  requester_name text not null,
  subject_id uuid not null references identities,
  subject_name text not null,
  requested_duration_mins integer not null check (requested_duration_mins > 0),
  justification text not null default '',
  custom_answers jsonb not null default '{}',
  ticket text,
  approver_group_ids uuid[] not null,
  escalation_group_id uuid,
  escalate_at timestamptz,
  trigger_task_id uuid,
  trigger_task_failure_mode text not null,
  decided_by uuid references identities,
  decided_by_email text,
  decision_source text check (decision_source in ('approver', 'auto')),
  comment text,
  revoked_by uuid references identities,
  revoke_comment text,
  created_at timestamptz not null default now(),
  escalated_at timestamptz,
  decided_at timestamptz,
  expires_at timestamptz,
  ended_at timestamptz,
  check ((status in ('approved', 'expired')) <= (decision is not distinct from 'approved')),
  check ((status = 'denied') = (decision is not distinct from 'denied')),
  check ((status = 'pending') = (decision is null)),
  check (decision is distinct from 'approved' or expires_at is not null)
);
create unique index access_requests_one_pending on access_requests (template_id, subject_id)
  where status = 'pending';
create index access_requests_requester on access_requests (requester_id, id desc);
create index access_requests_subject on access_requests (subject_id, id desc);
create index access_requests_template on access_requests (template_id);
create index access_requests_open on access_requests (status, expires_at) where status in ('pending', 'approved');

create table notifications (
  request_id uuid not null references access_requests,
  identity_id uuid not null references identities,
  email text not null,
  reason text not null check (reason in ('submitted', 'escalated')),
  position integer not null,
  at timestamptz not null default now(),
  primary key (request_id, identity_id)
);

create table decisions (
  id uuid primary key,
  request_id uuid not null references access_requests,
  approver_id uuid references identities,
  decision text not null check (decision in ('approved', 'denied')),
  source text not null check (source in ('approver', 'auto')),
  comment text,
  at timestamptz not null default now()
);
create unique index decisions_once on decisions (request_id, approver_id) nulls not distinct;

create table grants (
  id uuid primary key,
  request_id uuid not null unique references access_requests,
  subject_id uuid not null references identities,
  group_id uuid not null unique,
  starts_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text check (end_reason in ('expired', 'revoked')),
  check (starts_at < expires_at),
  check ((ended_at is null) = (end_reason is null))
);
create index grants_subject on grants (subject_id) where ended_at is null;

create table messages (
  id uuid primary key,
  request_id uuid not null references access_requests,
  author_id uuid not null references identities,
  author_email text not null,
  body text not null,
  created_at timestamptz not null default now()
);
create index messages_request on messages (request_id, id);

-- What was asked of the engine, and what left it.

create table commands (
  id uuid primary key,
  request_id uuid not null references access_requests,
  kind text not null check (kind in ('start', 'auto_approve', 'approve', 'deny', 'revoke')),
  actor_id uuid references identities,
  actor_email text,
  comment text,
  state text not null default 'queued' check (state in ('queued', 'applied', 'rejected')),
  result jsonb,
  problem jsonb,
  run_id uuid,
  run_deadline timestamptz,
  not_after timestamptz,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  finished_at timestamptz
);
create index commands_queued on commands (next_attempt_at) where state = 'queued';
create index commands_request on commands (request_id);

create table script_runs (
  id uuid primary key,
  task_id uuid references script_tasks on delete set null,
  task_name text not null,
  version integer not null,
  trigger text not null,
  request_id uuid references access_requests,
  event_id uuid,
  attempt integer not null default 1,
  status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
  ended_by text,
  started_at timestamptz not null default clock_timestamp(),
  duration_ms integer,
  cpu_ms integer,
  result text,
  log jsonb not null default '[]',
  error jsonb,
  calls jsonb not null default '[]'
);
create index script_runs_task on script_runs (task_id, id desc);
create index script_runs_request on script_runs (request_id, id);
create unique index script_runs_once on script_runs (event_id, task_id, attempt) where event_id is not null;

create table outbox_events (
  id uuid primary key,
  seq bigint generated always as identity unique,
  type text not null,
  request_id uuid references access_requests,
  trigger_event text,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  dispatched_at timestamptz,
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now()
);
create index outbox_events_waiting on outbox_events (next_attempt_at) where dispatched_at is null;
create index outbox_events_request on outbox_events (request_id, seq);

create table audit_events (
  id uuid primary key,
  seq bigint generated always as identity unique,
  at timestamptz not null,
  kind text not null,
  actor_id uuid,
  actor_email text,
  request_id uuid,
  object_type text,
  object_id uuid,
  detail jsonb not null,
  content_hash bytea not null
);
create index audit_events_request on audit_events (request_id, seq) where request_id is not null;
create index audit_events_token_requests on audit_events using gin ((detail -> 'request_ids'))
  where kind = 'token.issued';

create table idempotency_keys (
  caller_id uuid not null,
  key text not null,
  fingerprint text not null,
  operation_id uuid not null,
  locked_until timestamptz,
  status integer,
  headers jsonb,
  body text,
  created_at timestamptz not null default now(),
  primary key (caller_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- One row to lock for each rule that spans rows.
create table guards (name text primary key);
insert into guards values ('active_admins');

-- The database refuses by itself what no code path may do.

create function refuse_illegal_transition() returns trigger language plpgsql as $$
begin
  if new.status <> old.status
     and (old.status, new.status) not in
         (('pending', 'approved'), ('pending', 'denied'), ('pending', 'revoked'),
          ('approved', 'expired'), ('approved', 'revoked')) then
    raise exception 'a request cannot go from % to %', old.status, new.status using errcode = 'HP001';
  end if;
  if old.decision is not null and new.decision is distinct from old.decision then
    raise exception 'a decision cannot be changed' using errcode = 'HP001';
  end if;
  if old.expires_at is not null and new.expires_at is distinct from old.expires_at then
    raise exception 'the end of a grant cannot be moved' using errcode = 'HP001';
  end if;
  return new;
end $$;
create trigger access_requests_lifecycle before update on access_requests
  for each row execute function refuse_illegal_transition();

create function refuse_self_decision() returns trigger language plpgsql as $$
begin
  if exists (select from access_requests r join identities s on s.id = r.subject_id
             where r.id = new.request_id and (new.approver_id in (r.requester_id, r.subject_id, s.owner_id)
               or exists (select from identity_delegates d
                          where d.identity_id = r.subject_id and d.delegate_id = new.approver_id))) then
    raise exception 'nobody decides a request of their own' using errcode = 'HP002';
  end if;
  return new;
end $$;
create trigger decisions_not_own before insert on decisions
  for each row execute function refuse_self_decision();

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'HP003';
end $$;
create trigger audit_events_append_only before update or delete or truncate on audit_events
  for each statement execute function refuse_change();
create trigger decisions_append_only before update or delete or truncate on decisions
  for each statement execute function refuse_change();
create trigger script_task_versions_immutable before update on script_task_versions
  for each statement execute function refuse_change();

-- The one predicate: what an identity belongs to, and holds for an application, at an instant.

create function active_groups(who uuid, instant timestamptz)
returns table (group_id uuid, name text, permissions text[], request_id uuid, expires_at timestamptz)
language sql stable as $$
  select g.id, g.name, g.permissions, held.request_id, least(held.expires_at, g.expires_at, i.expires_at)
  from identities i
  join (
    select m.identity_id, m.group_id, null::uuid as request_id, m.expires_at from memberships m
    where m.identity_id = who
    union all
    select t.subject_id, t.group_id, t.request_id, t.expires_at from grants t
    where t.subject_id = who and t.ended_at is null
      -- an authorised revocation counts from its own commit, whenever it is carried out
      and not exists (select from commands c
                      where c.request_id = t.request_id and c.kind = 'revoke' and c.state = 'queued')
  ) held on held.identity_id = i.id
  join groups g on g.id = held.group_id
  where i.id = who and i.status = 'active'
    and (i.expires_at is null or i.expires_at > instant)
    and (held.expires_at is null or held.expires_at > instant)
    and (g.expires_at is null or g.expires_at > instant)
$$;

create function effective_mappings(who uuid, app uuid, instant timestamptz)
returns table (mapping_id uuid, claim text, value text, request_id uuid, expires_at timestamptz)
language sql stable as $$
  select a.id, a.claim, a.value, g.request_id, g.expires_at
  from active_groups(who, instant) g
  join group_mappings gm on gm.group_id = g.group_id
  join app_mappings a on a.id = gm.mapping_id
  where a.app_id = app
$$;

-- Who may decide a request now: active humans of the approver groups (none named: the admins), after
-- escalation the escalation group's too, less the requester, the subject, its owner and its delegates.
create function eligible_approvers(request access_requests)
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
    and i.id not in (request.requester_id, request.subject_id)
    and i.id is distinct from (select s.owner_id from identities s where s.id = request.subject_id)
    and not exists (select from identity_delegates d
                    where d.identity_id = request.subject_id and d.delegate_id = i.id)
$$;
