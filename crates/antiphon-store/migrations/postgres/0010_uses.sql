-- When tokens and grants were used last. It is written now and then, and is no change of a directory. key: a token's hash, or a
-- grant's id in eight bytes.
CREATE TABLE uses (
    portal_id BIGINT NOT NULL,
    key BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (portal_id, key)
) PLACED;

-- What was tried in vain, how often, and from when on it may be tried again. key: a hash of what that was.
CREATE TABLE tries (
    portal_id BIGINT NOT NULL,
    key BYTEA NOT NULL,
    count BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (portal_id, key)
) PLACED;
CREATE INDEX tries_by_time ON tries (portal_id, last_at);

-- grant_id: of an access token that was revoked before its end. deleted_at: the directory has forgotten it; the row goes later,
-- once every node has had time to learn of it.
ALTER TABLE tokens ADD COLUMN grant_id BIGINT;
ALTER TABLE tokens ADD COLUMN deleted_at BIGINT;
ALTER TABLE grants ADD COLUMN deleted_at BIGINT;
CREATE INDEX tokens_gone ON tokens (portal_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX grants_gone ON grants (portal_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX staging_tokens_gone ON staging_tokens (portal_id, deleted_at) WHERE deleted_at IS NOT NULL;
-- The newest revision of a row that is gone: whoever knows an older directory cannot learn of everything that ended, and reads
-- it anew.
ALTER TABLE counters ADD COLUMN swept BIGINT NOT NULL DEFAULT 0;
