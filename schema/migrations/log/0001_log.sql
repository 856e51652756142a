-- The event log of the PostgreSQL engine. Only one process appends; see event-log/src/postgres.

CREATE TABLE log (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    log_id     uuid NOT NULL DEFAULT gen_random_uuid(),
    partitions integer NOT NULL CHECK (partitions > 0)
);

-- `low` keeps the head of a partition that retention has emptied: head = greatest(low, max(offset) + 1).
CREATE TABLE partition (
    partition integer PRIMARY KEY,
    low       bigint NOT NULL DEFAULT 0
);

CREATE TABLE record (
    partition      integer NOT NULL,
    "offset"       bigint NOT NULL,
    appended_at    timestamptz NOT NULL,
    event_id       uuid NOT NULL,
    schema_version integer,
    key            bytea,
    value          bytea NOT NULL,
    -- Two appenders that both believe to own the log meet here, and the second one ends.
    PRIMARY KEY (partition, "offset")
) WITH (autovacuum_vacuum_insert_scale_factor = 0.5, autovacuum_vacuum_scale_factor = 0.02, toast_tuple_target = 8160);

-- Values are short JSON: compressing them costs more than it saves.
ALTER TABLE record ALTER COLUMN value SET STORAGE EXTERNAL;
