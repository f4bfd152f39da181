-- What reads the spine, and whom it tells.

-- A secret that was replaced goes on working for a while.
ALTER TABLE apps ADD COLUMN old_secret TEXT;
ALTER TABLE apps ADD COLUMN old_secret_until BIGINT;
ALTER TABLE apps ADD COLUMN old_key TEXT;
ALTER TABLE apps ADD COLUMN old_key_until BIGINT;
CREATE INDEX apps_by_key ON apps (developer_key);
CREATE INDEX apps_by_old_key ON apps (old_key) WHERE old_key IS NOT NULL;
-- For whom the spine is read: 1 webhooks, 2 journal; and 4 for whom snapshots are to be made, added up.
ALTER TABLE apps ADD COLUMN told BIGINT NOT NULL DEFAULT 0;
CREATE INDEX apps_told ON apps (id) WHERE told <> 0;

-- Gives out the ids of subscriptions of every kind, and of their filters.
ALTER TABLE counters ADD COLUMN next_subscription BIGINT NOT NULL DEFAULT 1;

-- Where an app is told, and how. Rows of a directory are never deleted, so that whoever holds one learns that they are gone.
CREATE TABLE webhooks (
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    target_url TEXT NOT NULL,
    max_concurrent BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    paused_at BIGINT,
    paused_why TEXT,
    deleted_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, app_id)
) PLACED;
CREATE INDEX webhooks_by_revision ON webhooks (portal_id, revision);

-- expand: 1 message, 2 thread, 4 contact, added up.
CREATE TABLE subscriptions (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    property_name TEXT,
    object_type_id TEXT,
    event_type_name TEXT,
    active BOOLEAN NOT NULL,
    expand BIGINT NOT NULL,
    ordered BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    deleted_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX subscriptions_by_revision ON subscriptions (portal_id, revision);

-- body: what is subscribed to, as JSON. filters: an array of them, as JSON.
CREATE TABLE journal_subscriptions (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    body TEXT NOT NULL,
    filters TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX journal_subscriptions_by_revision ON journal_subscriptions (portal_id, revision);

-- How far a reader of the spine has come on behalf of an app. Whoever reads raises the epoch; writes of an earlier one count
-- for nothing. reader: 1 webhooks, 2 journal.
CREATE TABLE cursors (
    portal_id BIGINT NOT NULL,
    reader BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    next_entry BIGINT NOT NULL, -- the next attempt, or the next entry of the journal
    PRIMARY KEY (portal_id, reader, app_id)
) PLACED;

-- Events that could not be delivered yet (due_at says when they are tried again) or at all (due_at is null).
CREATE TABLE deliveries (
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    subscription_id BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    due_at BIGINT,
    error TEXT NOT NULL,
    PRIMARY KEY (portal_id, app_id, position, subscription_id)
) PLACED;
CREATE INDEX deliveries_due ON deliveries (portal_id, app_id, due_at, position);

-- Every request that was sent to an app. events: an array of [position, subscription, attempt], as JSON.
CREATE TABLE attempts (
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    url TEXT NOT NULL,
    succeeded BOOLEAN NOT NULL,
    status BIGINT,
    error TEXT,
    millis BIGINT NOT NULL,
    excerpt TEXT NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (portal_id, app_id, id)
) PLACED;

-- The journal of an app: what it reads instead of being told. name: the entry's public offset.
CREATE TABLE journal_entries (
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name BYTEA NOT NULL,
    published_at BIGINT NOT NULL,
    doc BYTEA NOT NULL,
    PRIMARY KEY (portal_id, app_id, id)
) PLACED;
CREATE UNIQUE INDEX journal_entries_by_name ON journal_entries (portal_id, app_id, name);

-- status: 1 pending, 2 succeeded, 3 failed.
CREATE TABLE snapshots (
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    id BYTEA NOT NULL,
    body TEXT NOT NULL,
    initiated_at BIGINT NOT NULL,
    status BIGINT NOT NULL,
    completed_at BIGINT,
    error_code TEXT,
    message TEXT,
    PRIMARY KEY (portal_id, app_id, id)
) PLACED;
CREATE INDEX snapshots_pending ON snapshots (portal_id, app_id, initiated_at) WHERE status = 1;
