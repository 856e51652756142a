-- What staff did with dead letters. Not in the read model, which a rebuild makes anew from the log: dismissing one is no
-- event, and must not come undone.
CREATE TABLE dead_letter_mark (
    log_id     text NOT NULL,       -- positions hold within one log only
    partition  integer NOT NULL,
    "offset"   bigint NOT NULL,
    mark       text NOT NULL CHECK (mark IN ('dismissed', 'sent')),
    account    text NOT NULL,
    marked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (log_id, partition, "offset")
);
