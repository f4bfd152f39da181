-- Agents sign in to a session. secret: a hash of what their browser sends; a new one is offered about every hour (next), and
-- once that has come back, the one before is good for a little longer (old). ends_at: unless it is used before that.
CREATE TABLE sessions (
    portal_id BIGINT NOT NULL,
    id BYTEA NOT NULL,
    agent_id BIGINT NOT NULL,
    login_at BIGINT NOT NULL, -- when the login was changed with which it was begun
    created_at BIGINT NOT NULL,
    turned_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    secret BYTEA NOT NULL,
    next BYTEA,
    next_at BIGINT,
    old BYTEA,
    old_until BIGINT,
    browser TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX sessions_of_agent ON sessions (portal_id, agent_id, created_at, id);
CREATE INDEX sessions_by_end ON sessions (portal_id, ends_at);

-- What an agent may do. Programs that do not know of it go by administrator, which stays beside it.
ALTER TABLE logins ADD COLUMN role BIGINT;
