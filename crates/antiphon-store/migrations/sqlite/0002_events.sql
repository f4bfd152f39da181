-- What reads the spine, and whom it tells.

-- A secret that was replaced goes on working for a while.
ALTER TABLE apps ADD COLUMN old_secret TEXT;
ALTER TABLE apps ADD COLUMN old_secret_until INTEGER;
ALTER TABLE apps ADD COLUMN old_key TEXT;
ALTER TABLE apps ADD COLUMN old_key_until INTEGER;
CREATE INDEX apps_by_key ON apps (developer_key);
CREATE INDEX apps_by_old_key ON apps (old_key) WHERE old_key IS NOT NULL;
-- For whom the spine is read: 1 webhooks, 2 journal; and 4 for whom snapshots are to be made, added up.
ALTER TABLE apps ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX apps_told ON apps (id) WHERE told <> 0;

-- Gives out the ids of subscriptions of every kind, and of their filters.
ALTER TABLE counters ADD COLUMN next_subscription INTEGER NOT NULL DEFAULT 1;

-- Where an app is told, and how. Rows of a directory are never deleted, so that whoever holds one learns that they are gone.
CREATE TABLE webhooks (
    portal_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    target_url TEXT NOT NULL,
    max_concurrent INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    paused_at INTEGER,
    paused_why TEXT,
    deleted_at INTEGER,
    PRIMARY KEY (portal_id, app_id)
) STRICT, WITHOUT ROWID;

-- expand: 1 message, 2 thread, 4 contact, added up.
CREATE TABLE subscriptions (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    property_name TEXT,
    object_type_id TEXT,
    event_type_name TEXT,
    active INTEGER NOT NULL,
    expand INTEGER NOT NULL,
    ordered INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER,
    deleted_at INTEGER,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;

-- body: what is subscribed to, as JSON. filters: an array of them, as JSON.
CREATE TABLE journal_subscriptions (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    body TEXT NOT NULL,
    filters TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;

-- How far a reader of the spine has come on behalf of an app. Whoever reads raises the epoch; writes of an earlier one count
-- for nothing. reader: 1 webhooks, 2 journal.
CREATE TABLE cursors (
    portal_id INTEGER NOT NULL,
    reader INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    next_entry INTEGER NOT NULL, -- the next attempt, or the next entry of the journal
    PRIMARY KEY (portal_id, reader, app_id)
) STRICT, WITHOUT ROWID;

-- Events that could not be delivered yet (due_at says when they are tried again) or at all (due_at is null).
CREATE TABLE deliveries (
    portal_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    subscription_id INTEGER NOT NULL,
    object_id INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    due_at INTEGER,
    error TEXT NOT NULL,
    PRIMARY KEY (portal_id, app_id, position, subscription_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (portal_id, app_id, due_at, position);

-- Every request that was sent to an app. events: an array of [position, subscription, attempt], as JSON.
CREATE TABLE attempts (
    portal_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    url TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    millis INTEGER NOT NULL,
    excerpt TEXT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (portal_id, app_id, id)
) STRICT, WITHOUT ROWID;

-- The journal of an app: what it reads instead of being told. name: the entry's public offset.
CREATE TABLE journal_entries (
    portal_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name BLOB NOT NULL,
    published_at INTEGER NOT NULL,
    doc BLOB NOT NULL,
    PRIMARY KEY (portal_id, app_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX journal_entries_by_name ON journal_entries (portal_id, app_id, name);

-- status: 1 pending, 2 succeeded, 3 failed.
CREATE TABLE snapshots (
    portal_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    body TEXT NOT NULL,
    initiated_at INTEGER NOT NULL,
    status INTEGER NOT NULL,
    completed_at INTEGER,
    error_code TEXT,
    message TEXT,
    PRIMARY KEY (portal_id, app_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshots_pending ON snapshots (portal_id, app_id, initiated_at) WHERE status = 1;
