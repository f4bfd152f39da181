-- People who were to be erased. known: what has to be looked for, as JSON, until it is done.
CREATE TABLE erasures (
    portal_id BIGINT NOT NULL,
    contact_id BIGINT NOT NULL,
    requested_at BIGINT NOT NULL,
    completed_at BIGINT,
    known TEXT,
    PRIMARY KEY (portal_id, contact_id)
) PLACED;
CREATE INDEX erasures_open ON erasures (portal_id, contact_id) WHERE completed_at IS NULL;
