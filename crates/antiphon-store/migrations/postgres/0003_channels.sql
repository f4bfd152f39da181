-- Channels that apps bring, and the tokens with which their accounts are connected.

-- Ids of channels are unique on the server: an app's channel may have accounts in other portals than the app's own.
ALTER TABLE server ADD COLUMN next_channel BIGINT NOT NULL DEFAULT 1000000;

-- capabilities: a JSON object, as the app gave it.
CREATE TABLE channels (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    webhook_url TEXT,
    redirect_url TEXT,
    description TEXT,
    logo_url TEXT,
    capabilities TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX channels_by_revision ON channels (portal_id, revision);

-- Somebody is connecting an account. Rows of a directory are never deleted, so that whoever holds one learns that they are gone.
CREATE TABLE staging_tokens (
    portal_id BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    channel_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    account_name TEXT,
    identifier_kind TEXT,
    identifier_value TEXT,
    account_id BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    deleted_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, hash)
) PLACED;
CREATE INDEX staging_tokens_by_revision ON staging_tokens (portal_id, revision);
