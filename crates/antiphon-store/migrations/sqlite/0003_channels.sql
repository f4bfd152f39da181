-- Channels that apps bring, and the tokens with which their accounts are connected.

-- Ids of channels are unique on the server: an app's channel may have accounts in other portals than the app's own.
ALTER TABLE server ADD COLUMN next_channel INTEGER NOT NULL DEFAULT 1000000;

-- capabilities: a JSON object, as the app gave it.
CREATE TABLE channels (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    webhook_url TEXT,
    redirect_url TEXT,
    description TEXT,
    logo_url TEXT,
    capabilities TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    archived_at INTEGER,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;

-- Somebody is connecting an account. Rows of a directory are never deleted, so that whoever holds one learns that they are gone.
CREATE TABLE staging_tokens (
    portal_id INTEGER NOT NULL,
    hash BLOB NOT NULL,
    channel_id INTEGER NOT NULL,
    inbox_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    account_name TEXT,
    identifier_kind TEXT,
    identifier_value TEXT,
    account_id INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (portal_id, hash)
) STRICT, WITHOUT ROWID;
