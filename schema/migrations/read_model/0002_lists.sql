-- What the lists need: letters without their case, and an index for each order, filter and search that is worth one.
-- docs/lists.md says which is for what, and which have none and why.

-- Lower case by Unicode's rules even where the database's own collation knows ASCII alone, as that of `footfall up`
-- does. Bound to a collation here and now, so that indexes over it stay valid.
DO $$
DECLARE
    known text;
BEGIN
    SELECT format('COLLATE pg_catalog.%I', collname) INTO known
    FROM pg_catalog.pg_collation
    WHERE collname IN ('pg_c_utf8', 'C.utf8', 'C.UTF-8', 'und-x-icu') AND collnamespace = 'pg_catalog'::regnamespace
      AND collencoding IN (-1, (SELECT encoding FROM pg_catalog.pg_database WHERE datname = current_database()))
    ORDER BY array_position(ARRAY['pg_c_utf8', 'C.utf8', 'C.UTF-8', 'und-x-icu'], collname::text)
    LIMIT 1;
    EXECUTE format('CREATE FUNCTION fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN lower($1 %s)',
                   coalesce(known, ''));
END
$$;

-- ordering=end_time with nulls at the far end: without a null in it, one comparison finds where a page begins
DROP INDEX session_end_time;
CREATE INDEX session_end_order ON session (coalesce(end_time, 'infinity'::timestamptz), id);
CREATE INDEX session_user_agent ON session (user_agent_id, start_time, id);  -- user_agent, user_agent_contains, search
CREATE INDEX session_user_id ON session (user_id, start_time, id);           -- user_id, user_id_isnull
CREATE INDEX session_ip_address ON session (ip_address);                     -- ip_address
CREATE INDEX page_view_url ON page_view (url_id, "timestamp", id);           -- url, url_contains and so on, search
CREATE INDEX interaction_element ON interaction (element_id, "timestamp", id);  -- element, element_contains, search

-- Parts of texts are found through trigrams. The extension comes with PostgreSQL and is trusted: it takes no superuser.
-- It gets a schema of its own, because those of the read model come and go with a rebuild. Without it everything is
-- found all the same, by reading all distinct texts.
DO $$
DECLARE
    home text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_trgm') THEN
        BEGIN
            CREATE SCHEMA IF NOT EXISTS footfall_extensions;
            CREATE EXTENSION pg_trgm WITH SCHEMA footfall_extensions;
        EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported OR undefined_object THEN
            RAISE WARNING 'no trigram indexes, searches will be slower: %', SQLERRM;
        END;
    END IF;
    SELECT n.nspname INTO home
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    IF home IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE INDEX user_agent_part ON user_agent USING gin (fold(text) %I.gin_trgm_ops)', home);
    EXECUTE format('CREATE INDEX url_part ON url USING gin (fold(text) %I.gin_trgm_ops)', home);
    EXECUTE format('CREATE INDEX element_part ON element USING gin (fold(text) %I.gin_trgm_ops)', home);
    -- one index for all three: each column can be asked alone
    EXECUTE format('CREATE INDEX session_part ON session USING gin '
                   '(fold(session_id) %1$I.gin_trgm_ops, fold(user_id) %1$I.gin_trgm_ops, host(ip_address) %1$I.gin_trgm_ops)',
                   home);
END
$$;
