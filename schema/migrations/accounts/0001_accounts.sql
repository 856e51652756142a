-- Who may sign in. Lives outside the read model, which a rebuild swaps.

CREATE TABLE account (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE CHECK (name <> ''),
    password_hash text,                                          -- argon2id; NULL: signs in by link only
    role          text NOT NULL CHECK (role IN ('user', 'staff')),
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- Sessions that were signed out before their cookie expired, and sign-in links that have been used.
CREATE TABLE spent_token (
    id         uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX spent_token_expires_at ON spent_token (expires_at);
