-- What the report needs to add up a day once, and a single day by its hours; orders of the admin.

-- Who has added up a day's roll-ups need not do so again until this number is another one. A day that is not in here
-- has nothing in the roll-ups. Rows stay, so that the number of a day never comes back.
CREATE TABLE daily_change (
    day     date NOT NULL,
    shard   smallint NOT NULL,
    changes bigint NOT NULL,        -- batches that changed anything in the roll-ups of this day
    PRIMARY KEY (day, shard)
);

-- An hour is one of the zone's clocks: the one that comes twice is two rows, and one that is half skipped is one.
CREATE TABLE hourly (
    day          date NOT NULL,         -- in the zone of the read model
    hour         timestamptz NOT NULL,  -- when the clocks said, or would have said, that it was full
    shard        smallint NOT NULL,
    sessions     bigint NOT NULL,       -- of start_time
    page_views   bigint NOT NULL,
    interactions bigint NOT NULL,
    PRIMARY KEY (day, hour, shard)
);

-- ---- what was projected before these tables came; nothing in a read model that is new

INSERT INTO hourly
SELECT (at AT TIME ZONE time_zone)::date, date_trunc('hour', at, time_zone), (id - 1) >> 40, sum(sessions),
       sum(page_views), sum(interactions)
FROM read_model, (
    SELECT id, start_time AS at, 1 AS sessions, 0 AS page_views, 0 AS interactions FROM session
    UNION ALL SELECT id, "timestamp", 0, 1, 0 FROM page_view
    UNION ALL SELECT id, "timestamp", 0, 0, 1 FROM interaction) facts
GROUP BY 1, 2, 3;

INSERT INTO daily_change SELECT DISTINCT day, shard, 1 FROM hourly;

-- ---- orders of the admin: texts by their beginning, because a btree refuses values above 2.7 kB; what has the same text
-- is found by the index of its id, newest first

CREATE INDEX url_order ON url (left(text, 600) COLLATE "C", id);
CREATE INDEX element_order ON element (left(text, 600) COLLATE "C", id);
CREATE INDEX user_agent_order ON user_agent (left(text, 600) COLLATE "C", id);
-- as that of user_id: so that those of one address need not be sorted
DROP INDEX session_ip_address;
CREATE INDEX session_ip_address ON session (ip_address, start_time, id);
