-- The read model: everything in here can be thrown away and rebuilt from the log.

-- What the tables were made for; another zone, another window or another number of partitions asks for a rebuild.
CREATE TABLE read_model (
    singleton          boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    time_zone          text NOT NULL,
    log_id             text NOT NULL,
    partitions         integer NOT NULL,
    deduplication_days integer NOT NULL,
    generation         uuid NOT NULL DEFAULT gen_random_uuid(),  -- tells this read model from the one after a swap
    made_at            timestamptz NOT NULL DEFAULT now()
);

-- ---- dimensions: texts that repeat, unique by the SHA-256 of the text (a btree refuses values above 2.7 kB)

CREATE TABLE user_agent (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash    bytea NOT NULL UNIQUE,
    text    text NOT NULL,
    browser text NOT NULL,          -- by the rules of contract § 9
    family  text NOT NULL,          -- family, os, device: by the user-agent parser
    os      text NOT NULL,
    device  text NOT NULL
);

CREATE TABLE url (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    text text NOT NULL
);

CREATE TABLE element (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE,
    text text NOT NULL
);

-- ---- sessions; id is the position of the first event that mentions one, so ids are unique over all partitions

CREATE TABLE session (
    id            bigint PRIMARY KEY,
    session_id    text NOT NULL UNIQUE,
    announced_id  bigint,           -- NULL: provisional, nobody has announced it yet
    user_agent_id bigint NOT NULL,
    ip_address    inet,
    user_id       text,
    start_time    timestamptz NOT NULL,
    end_time      timestamptz,
    last_event_at timestamptz NOT NULL,
    first_recorded_at timestamptz NOT NULL,    -- none of its events was recorded before: where to look for repetitions
    page_views    bigint NOT NULL DEFAULT 0,
    interactions  bigint NOT NULL DEFAULT 0,
    corrected     smallint NOT NULL DEFAULT 0  -- bits of the fields that the admin has set for good
) WITH (fillfactor = 85);
CREATE INDEX session_start_time ON session (start_time, id);   -- the default order
CREATE INDEX session_end_time ON session (end_time, id);       -- ordering=end_time

-- ---- facts, partitioned by month of `timestamp`; months are made by the projector before it needs them
-- An id alone probes the index of every month: 0.15 to 0.25 ms with 36 months (prepared; 0.6 ms with planning).

CREATE TABLE page_view (
    id          bigint NOT NULL,
    session     bigint NOT NULL,
    url_id      bigint NOT NULL,
    "timestamp" timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE INDEX page_view_timestamp ON page_view ("timestamp", id);  -- the default order
CREATE INDEX page_view_session ON page_view (session);            -- a session's page views, deletions

CREATE TABLE interaction (
    id          bigint NOT NULL,
    session     bigint NOT NULL,
    element_id  bigint NOT NULL,
    event_type  text NOT NULL,
    metadata    jsonb NOT NULL,
    "timestamp" timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (id, "timestamp")
) PARTITION BY RANGE ("timestamp");
CREATE INDEX interaction_timestamp ON interaction ("timestamp", id);  -- the default order
CREATE INDEX interaction_session ON interaction (session);            -- a session's interactions, deletions

-- ---- roll-ups, one row a day, dimension and shard; shard = partition, so no two workers touch one row

CREATE TABLE daily_session (
    day         date NOT NULL,      -- of start_time, in the zone of the read model
    shard       smallint NOT NULL,
    sessions    bigint NOT NULL,
    ended       bigint NOT NULL,    -- those with an end_time
    duration_us numeric NOT NULL,   -- sum over `ended`; a few that end in the year 9999 overflow a bigint
    PRIMARY KEY (day, shard)
);

CREATE TABLE daily_browser (
    day      date NOT NULL,
    browser  text NOT NULL,
    shard    smallint NOT NULL,
    sessions bigint NOT NULL,
    PRIMARY KEY (day, browser, shard)
);

CREATE TABLE daily_page_view (
    day        date NOT NULL,
    url_id     bigint NOT NULL,
    shard      smallint NOT NULL,
    page_views bigint NOT NULL,
    PRIMARY KEY (day, url_id, shard)
);

CREATE TABLE daily_interaction (
    day          date NOT NULL,
    event_type   text NOT NULL,
    shard        smallint NOT NULL,
    interactions bigint NOT NULL,
    PRIMARY KEY (day, event_type, shard)
);

-- The unfiltered `count` of each list.
CREATE TABLE row_count (
    resource text NOT NULL CHECK (resource IN ('session', 'page_view', 'interaction')),
    shard    smallint NOT NULL,
    rows     bigint NOT NULL,
    PRIMARY KEY (resource, shard)
);

-- ---- where the projection stands, and what became of every event

CREATE TABLE checkpoint (
    projection    text NOT NULL,
    partition     integer NOT NULL,
    next_offset   bigint NOT NULL,  -- −1: fenced, another read model has taken over
    fenced_offset bigint,           -- what next_offset was before the fence, for a rollback
    log_id        text NOT NULL,
    generation    uuid NOT NULL,    -- that of read_model: ids of dimensions hold within one generation only
    last_offset   bigint,           -- of the last record projected
    last_digest   bytea,            -- SHA-256 of its value: tells whether the log is still the same
    recorded_at   timestamptz,      -- its recorded_at
    caught_up_at  timestamptz,      -- when the partition's end was last reached
    PRIMARY KEY (projection, partition)
);

CREATE TABLE tally (
    partition  integer NOT NULL,
    event_type text NOT NULL,       -- 'unknown' for records that are no events
    outcome    text NOT NULL CHECK (outcome IN ('stored', 'folded', 'duplicate', 'dead', 'removed')),
    events     bigint NOT NULL,
    PRIMARY KEY (partition, event_type, outcome)
);

CREATE TABLE dead_letter (
    partition      integer NOT NULL,
    "offset"       bigint NOT NULL,
    reason         text NOT NULL,
    error          text NOT NULL,
    schema_version integer,
    key            bytea,
    value          bytea NOT NULL,
    seen_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (partition, "offset")
);

-- Records that an operator has told the projector to pass over.
CREATE TABLE skip (
    partition integer NOT NULL,
    "offset"  bigint NOT NULL,
    asked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (partition, "offset")
);

-- Client-given event ids within the deduplication window, by the UTC day of recorded_at; days are made and dropped
-- by the projector. `key` is 64 bits of SHA-256 over the session id and 64 over the event id, in this order, so that
-- the events of a session are neighbours in the index.
CREATE TABLE seen_event (
    day         date NOT NULL,
    key         uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- `key` first: it is looked for in some days of the window
    PRIMARY KEY (key, day)
) PARTITION BY LIST (day);

-- Sessions of which more was recorded than their row tells: deleted and corrected ones. Like first_recorded_at of
-- `session`; of a session that is neither here nor there, no event id has been seen.
CREATE TABLE seen_session (
    key         uuid PRIMARY KEY,   -- 128 bits of SHA-256 over the session id
    recorded_at timestamptz NOT NULL
);
