-- What the services' roles may do with the read model that `search_path` names. Runs after every migration, and in a
-- rebuild before its read model is put in place; does nothing where there are no such roles, and touches nothing that is
-- as it should be: projectors may be at work.
DO $$
DECLARE
    home      oid := current_schema()::regnamespace;
    projector text;
    reader    text;
    made      regclass;
BEGIN
    IF to_regclass('footfall_accounts.service_role') IS NULL THEN
        RETURN;
    END IF;
    SELECT name INTO projector FROM footfall_accounts.service_role WHERE service = 'projector';
    SELECT name INTO reader FROM footfall_accounts.service_role WHERE service = 'query-api';

    IF projector IS NOT NULL THEN
        IF NOT has_schema_privilege(projector, home, 'USAGE') OR NOT has_schema_privilege(projector, home, 'CREATE') THEN
            EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', current_schema(), projector);
        END IF;
        -- months and days are made, attached and dropped by the projector, and only an owner may
        FOR made IN
            SELECT oid FROM pg_catalog.pg_class
            WHERE relnamespace = home AND (relkind = 'p' OR (relkind = 'r' AND relispartition))
              AND pg_get_userbyid(relowner) <> projector
        LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO %I', made, projector);
        END LOOP;
        FOR made IN
            SELECT oid FROM pg_catalog.pg_class
            WHERE relnamespace = home AND relkind IN ('r', 'p') AND NOT has_table_privilege(projector, oid, 'SELECT')
        LOOP
            EXECUTE format('GRANT SELECT ON %s TO %I', made, projector);
        END LOOP;
        FOR made IN
            SELECT oid FROM pg_catalog.pg_class
            WHERE relnamespace = home AND relkind IN ('r', 'p')
              -- which steps have been taken is a migration's to say, what to pass over an operator's
              AND relname NOT IN ('_sqlx_migrations', 'skip')
              AND NOT (has_table_privilege(projector, oid, 'INSERT') AND has_table_privilege(projector, oid, 'UPDATE')
                       AND has_table_privilege(projector, oid, 'DELETE'))
        LOOP
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %s TO %I', made, projector);
        END LOOP;
    END IF;

    IF reader IS NOT NULL THEN
        IF NOT has_schema_privilege(reader, home, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), reader);
        END IF;
        FOR made IN
            SELECT oid FROM pg_catalog.pg_class
            -- months are read through what they are months of
            WHERE relnamespace = home AND relkind IN ('r', 'p') AND NOT relispartition
              AND NOT has_table_privilege(reader, oid, 'SELECT')
        LOOP
            EXECUTE format('GRANT SELECT ON %s TO %I', made, reader);
        END LOOP;
    END IF;
END
$$;
