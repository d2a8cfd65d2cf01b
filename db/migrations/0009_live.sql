-- Whoever looks at a request is told at once that something happened to it: what kind of thing, and to which request.

create function tell_of_request() returns trigger language plpgsql as $$
begin
  perform pg_notify('hallpass_live', json_build_object(
    'kind', case tg_table_name
      when 'audit_events' then regexp_replace(to_jsonb(new) ->> 'kind', '^access_request\.', '')
      when 'commands' then 'block_run'
      when 'script_runs' then 'run'
      else 'message' end,
    'request_id', new.request_id)::text);
  return null;
end $$;

create trigger audit_events_live after insert on audit_events
  for each row when (new.request_id is not null) execute function tell_of_request();
create trigger messages_live after insert on messages
  for each row execute function tell_of_request();
create trigger script_runs_live after insert or update of status on script_runs
  for each row when (new.request_id is not null) execute function tell_of_request();
create trigger commands_live after insert or update of state, run_deadline on commands
  for each row when (new.run_id is not null) execute function tell_of_request();
