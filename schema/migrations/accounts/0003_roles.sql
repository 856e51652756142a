-- The PostgreSQL roles of services that have one of their own: whoever makes tables anew, a migration or a rebuild, knows
-- from here whom to grant them to. Empty where all connect as one user.
CREATE TABLE service_role (
    service text PRIMARY KEY CHECK (service IN ('projector', 'query-api')),
    name    text NOT NULL
);
