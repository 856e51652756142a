-- Roll-ups of the report: by who visits, by duration, by element. What is there already is counted once, here.

-- ---- who visits, as far as the report tells visitors apart; user agents by the thousand are a few of these

-- desktop, phone, tablet, bot, other: from the user agent and what the parser read in it (`os`, `device`). A program
-- that only fetches is `other` unless it calls itself a bot.
CREATE FUNCTION device_class(agent text, os text, device text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE
        WHEN device = 'Spider' OR left(agent, 2000) ~* '(?<!cu)(bot|crawler|spider)([^a-z]|$)' THEN 'bot'
        WHEN left(agent, 2000) ~ 'Smart-?TV|SMART-TV|Apple ?TV|Android TV|GoogleTV|BRAVIA|AFT[A-Z]' THEN 'other'
        WHEN device = 'iPad' OR left(agent, 2000) ~ 'Tablet|iPad'
             OR (os = 'Android' AND left(agent, 2000) !~ 'Mobi') THEN 'tablet'
        WHEN device IN ('iPhone', 'iPod') OR left(agent, 2000) ~ 'Mobi|Windows Phone' THEN 'phone'
        WHEN os ~ '^(Windows|Mac OS X|Linux|Ubuntu|Debian|Fedora|Red Hat|SUSE|Mint|Arch Linux|Gentoo|Chrome OS|FreeBSD|OpenBSD|NetBSD|Solaris)'
             THEN 'desktop'
        ELSE 'other'
    END;

CREATE TABLE client (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    browser text NOT NULL,          -- by the rules of contract § 9
    family  text NOT NULL,          -- family, os: the beginning of what the parser read
    os      text NOT NULL,
    device  text NOT NULL,          -- device_class
    UNIQUE (browser, family, os, device)
);

ALTER TABLE user_agent ADD COLUMN client_id bigint;
INSERT INTO client (browser, family, os, device)
SELECT DISTINCT browser, left(family, 80), left(os, 80), device_class(text, os, device) FROM user_agent;
UPDATE user_agent a SET client_id = c.id FROM client c
WHERE (c.browser, c.family, c.os, c.device)
    = (a.browser, left(a.family, 80), left(a.os, 80), device_class(a.text, a.os, a.device));
ALTER TABLE user_agent ALTER COLUMN client_id SET NOT NULL;

-- ---- durations by class: medians come from these. Classes end at whole seconds and are a second or a tenth wide,
-- whichever is more; 0 is below a second or below zero, the last one is two days and more.

CREATE FUNCTION duration_class(duration interval) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    width_bucket(floor(extract(epoch FROM duration))::bigint, ARRAY[
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 24, 26, 28, 30, 33, 36, 39,
        42, 46, 50, 55, 60, 66, 72, 79, 86, 94, 103, 113, 124, 136, 149, 163, 179, 196, 215, 236, 259, 284, 312,
        343, 377, 414, 455, 500, 550, 605, 665, 731, 804, 884, 972, 1069, 1175, 1292, 1421, 1563, 1719, 1890,
        2079, 2286, 2514, 2765, 3041, 3345, 3679, 4046, 4450, 4895, 5384, 5922, 6514, 7165, 7881, 8669, 9535,
        10488, 11536, 12689, 13957, 15352, 16887, 18575, 20432, 22475, 24722, 27194, 29913, 32904, 36194, 39813,
        43794, 48173, 52990, 58289, 64117, 70528, 77580, 85338, 93871, 103258, 113583, 124941, 137435, 151178,
        166295, 172800
    ]::bigint[])::smallint;

CREATE TABLE daily_duration (
    day      date NOT NULL,         -- of start_time
    class    smallint NOT NULL,
    shard    smallint NOT NULL,
    sessions bigint NOT NULL,       -- those with an end_time
    PRIMARY KEY (day, class, shard)
);

-- ---- sessions by day and client take the place of those by day and of those by day and browser

DROP TABLE daily_session, daily_browser;
CREATE TABLE daily_session (
    day         date NOT NULL,      -- of start_time, in the zone of the read model
    client_id   bigint NOT NULL,
    shard       smallint NOT NULL,
    sessions    bigint NOT NULL,
    ended       bigint NOT NULL,    -- those with an end_time
    duration_us numeric NOT NULL,   -- sum over `ended`; a few that end in the year 9999 overflow a bigint
    page_views  bigint NOT NULL,    -- of these sessions, on whatever day
    single_page bigint NOT NULL,    -- those with one page view
    PRIMARY KEY (day, client_id, shard)
);

-- A fact counts for what its session is now: when a session turns out to be another client, its facts move.
CREATE TABLE daily_client_page_view (
    day        date NOT NULL,
    client_id  bigint NOT NULL,
    shard      smallint NOT NULL,
    page_views bigint NOT NULL,
    PRIMARY KEY (day, client_id, shard)
);

CREATE TABLE daily_client_interaction (
    day          date NOT NULL,
    client_id    bigint NOT NULL,
    event_type   text NOT NULL,
    shard        smallint NOT NULL,
    interactions bigint NOT NULL,
    PRIMARY KEY (day, client_id, event_type, shard)
);

CREATE TABLE daily_element (
    day          date NOT NULL,
    element_id   bigint NOT NULL,
    event_type   text NOT NULL,
    shard        smallint NOT NULL,
    interactions bigint NOT NULL,
    PRIMARY KEY (day, element_id, event_type, shard)
);

-- ---- what was projected before these tables came; nothing in a read model that is new

INSERT INTO daily_duration
SELECT (start_time AT TIME ZONE time_zone)::date, duration_class(end_time - start_time), (id - 1) >> 40, count(*)
FROM session, read_model WHERE end_time IS NOT NULL GROUP BY 1, 2, 3;

INSERT INTO daily_session
SELECT (start_time AT TIME ZONE time_zone)::date, client_id, (s.id - 1) >> 40, count(*), count(end_time),
       coalesce(sum(extract(epoch FROM end_time - start_time) * 1000000), 0),
       sum(page_views), count(*) FILTER (WHERE page_views = 1)
FROM read_model, session s JOIN user_agent a ON a.id = s.user_agent_id GROUP BY 1, 2, 3;

INSERT INTO daily_client_page_view
SELECT ("timestamp" AT TIME ZONE time_zone)::date, client_id, (p.id - 1) >> 40, count(*)
FROM read_model, page_view p JOIN session s ON s.id = p.session JOIN user_agent a ON a.id = s.user_agent_id
GROUP BY 1, 2, 3;

INSERT INTO daily_client_interaction
SELECT ("timestamp" AT TIME ZONE time_zone)::date, client_id, event_type, (i.id - 1) >> 40, count(*)
FROM read_model, interaction i JOIN session s ON s.id = i.session JOIN user_agent a ON a.id = s.user_agent_id
GROUP BY 1, 2, 3, 4;

INSERT INTO daily_element
SELECT ("timestamp" AT TIME ZONE time_zone)::date, element_id, event_type, (i.id - 1) >> 40, count(*)
FROM read_model, interaction i GROUP BY 1, 2, 3, 4;
