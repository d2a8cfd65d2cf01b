-- An outgoing event is settled once nothing is left to be done for the trigger task that it fires: until then it is
-- looked at again, since the engine may have lost what was started. What was started before this migration counts.

alter table outbox_events add column settled_at timestamptz;
update outbox_events set settled_at = dispatched_at;
drop index outbox_events_waiting;
create index outbox_events_unsettled on outbox_events (next_attempt_at) where settled_at is null;

-- The deliveries of a task, newest first: ids of events are in the order of their making.
create index deliveries_task on deliveries (task_id, event_id desc);
