-- Agents sign in to a session. secret: a hash of what their browser sends; a new one is offered about every hour (next), and
-- once that has come back, the one before is good for a little longer (old). ends_at: unless it is used before that.
CREATE TABLE sessions (
    portal_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    agent_id INTEGER NOT NULL,
    login_at INTEGER NOT NULL, -- when the login was changed with which it was begun
    created_at INTEGER NOT NULL,
    turned_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    secret BLOB NOT NULL,
    next BLOB,
    next_at INTEGER,
    old BLOB,
    old_until INTEGER,
    browser TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_agent ON sessions (portal_id, agent_id, created_at, id);
CREATE INDEX sessions_by_end ON sessions (portal_id, ends_at);

-- What an agent may do. Programs that do not know of it go by administrator, which stays beside it.
ALTER TABLE logins ADD COLUMN role INTEGER;
