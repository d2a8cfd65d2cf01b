-- What a run was told and answered, secrets by name, so that it can be replayed. It goes when its run goes.

create table script_run_recordings (
  run_id uuid primary key references script_runs on delete cascade,
  -- JSON, as text: jsonb refuses characters that scripts may send
  recording text not null check (octet_length(recording) <= 1048576)
);
