-- What query-api's role may do with accounts and what belongs to them. The projector has no business here.
DO $$
DECLARE
    keeper text;
BEGIN
    SELECT quote_ident(name) INTO keeper FROM service_role WHERE service = 'query-api';
    IF keeper IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', current_schema(), keeper);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON account, spent_token, dead_letter_mark TO %s', keeper);
        EXECUTE format('GRANT SELECT ON _sqlx_migrations TO %s', keeper);
    END IF;
END
$$;
