-- Who signs in, and what users grant to apps.

CREATE TABLE logins (
    portal_id INTEGER NOT NULL,
    agent_id INTEGER NOT NULL,
    password TEXT NOT NULL, -- its hash
    administrator INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (portal_id, agent_id)
) STRICT, WITHOUT ROWID;

-- redirect_uris: one a line. scopes: separated by blanks.
CREATE TABLE clients (
    portal_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    redirect_uris TEXT NOT NULL,
    scopes TEXT NOT NULL,
    PRIMARY KEY (portal_id, app_id)
) STRICT, WITHOUT ROWID;

-- A grant begins with a code and goes on with a refresh token; user_id is null where an app acts for itself.
CREATE TABLE grants (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    user_id INTEGER,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    code_hash BLOB,
    redirect_uri TEXT,
    challenge TEXT,
    code_expires_at INTEGER,
    code_used_at INTEGER,
    refresh_hash BLOB,
    refresh_ended_at INTEGER,
    ended_at INTEGER,
    uninstalled_at INTEGER,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;
