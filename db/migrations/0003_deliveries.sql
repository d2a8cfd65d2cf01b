-- Integration events go to the script tasks that are bound to them: one delivery for each event and task.

alter table outbox_events add column fanned_out_at timestamptz;
-- Nothing could be bound before this migration.
update outbox_events set fanned_out_at = clock_timestamp();
create index outbox_events_not_fanned_out on outbox_events (seq) where fanned_out_at is null;

create table deliveries (
  id uuid primary key,
  event_id uuid not null references outbox_events,
  -- the event's place in the order of all events
  seq bigint not null,
  event_type text not null,
  request_id uuid not null references access_requests,
  task_id uuid not null references script_tasks on delete cascade,
  workflow_id text not null,
  state text not null default 'waiting'
    check (state in ('waiting', 'started', 'succeeded', 'failed', 'skipped')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (event_id, task_id),
  check ((finished_at is null) = (state in ('waiting', 'started')))
);
create index deliveries_open on deliveries (task_id, request_id, seq) where finished_at is null;
create index deliveries_finished on deliveries (finished_at) where finished_at is not null;

-- A task can be a template's trigger task and bound to the same event: these are two runs.
drop index script_runs_once;
create unique index script_runs_once on script_runs (event_id, task_id, trigger, attempt) where event_id is not null;
create index script_runs_started on script_runs (started_at);

-- Why the product itself has disabled a task; null again with the next version that an admin saves.
alter table script_tasks add column disabled_reason text;
