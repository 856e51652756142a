-- Who changed what in the admin: one row for each such event, written by the projector, so that a rebuild brings it back.
-- What was deleted keeps its rows.
CREATE TABLE admin_change (
    id          bigint PRIMARY KEY,        -- of the event
    event_id    uuid NOT NULL,             -- made of the form that was sent: tells what became of it
    resource    text NOT NULL CHECK (resource IN ('session', 'page_view', 'interaction')),
    object      bigint,                    -- public id of what was changed; NULL: a session that was not there
    session_id  text NOT NULL,             -- the session's text, or that of the event's session
    action      text NOT NULL CHECK (action IN ('added', 'changed', 'deleted')),
    account     text,
    changed_at  timestamptz NOT NULL,      -- the event's recorded_at
    moved_from  bigint,                    -- id of the row that this one took the place of, in another session
    effective   boolean NOT NULL,          -- false: what it names was gone already
    changes     jsonb NOT NULL             -- [{"field", "from", "to"}], as text or null
);
CREATE INDEX admin_change_object ON admin_change (object, id);                                 -- an object's history
CREATE INDEX admin_change_moved ON admin_change (moved_from) WHERE moved_from IS NOT NULL;     -- where it went
CREATE INDEX admin_change_event ON admin_change (event_id);                                     -- what became of a form
