-- What the services' roles may do with the read model that `search_path` names. Runs after every migration, and in a
-- rebuild before its read model is put in place; does nothing where there are no such roles.
DO $$
DECLARE
    home      text := quote_ident(current_schema());
    projector text;
    reader    text;
    part      regclass;
BEGIN
    IF to_regclass('footfall_accounts.service_role') IS NULL THEN
        RETURN;
    END IF;
    SELECT quote_ident(name) INTO projector FROM footfall_accounts.service_role WHERE service = 'projector';
    SELECT quote_ident(name) INTO reader FROM footfall_accounts.service_role WHERE service = 'query-api';

    IF projector IS NOT NULL THEN
        -- months and days are made, attached and dropped by the projector, and only an owner may
        EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %s TO %s', home, projector);
        FOR part IN
            SELECT oid FROM pg_catalog.pg_class
            WHERE relnamespace = current_schema()::regnamespace AND (relkind = 'p' OR (relkind = 'r' AND relispartition))
        LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO %s', part, projector);
        END LOOP;
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s TO %s', home, projector);
        -- which steps have been taken is nobody's to change but a migration's, what to pass over an operator's
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON _sqlx_migrations, skip FROM %s', projector);
    END IF;

    IF reader IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', home, reader);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %s TO %s', home, reader);
    END IF;
END
$$;
