-- People who were to be erased. known: what has to be looked for, as JSON, until it is done.
CREATE TABLE erasures (
    portal_id INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    completed_at INTEGER,
    known TEXT,
    PRIMARY KEY (portal_id, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_open ON erasures (portal_id, contact_id) WHERE completed_at IS NULL;
