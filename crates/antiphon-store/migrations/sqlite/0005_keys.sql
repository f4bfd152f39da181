-- Secrets are sealed with a key that is kept elsewhere.

-- What says whether a master key is the one that sealed; null until the store is opened first.
ALTER TABLE server ADD COLUMN key_check TEXT;

-- With which the server signs what it gives out. value: sealed. ends_at: from when on it no longer verifies; null: the newest.
CREATE TABLE signing_keys (
    id INTEGER PRIMARY KEY,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER
) STRICT;
