-- Who has signed in before this has to sign in again. Set when the password changes.
ALTER TABLE account ADD COLUMN sessions_from timestamptz NOT NULL DEFAULT '-infinity';
