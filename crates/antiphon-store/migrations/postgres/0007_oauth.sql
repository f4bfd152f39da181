-- Who signs in, and what users grant to apps.

CREATE TABLE logins (
    portal_id BIGINT NOT NULL,
    agent_id BIGINT NOT NULL,
    password TEXT NOT NULL, -- its hash
    administrator BOOLEAN NOT NULL,
    changed_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, agent_id)
) PLACED;
CREATE INDEX logins_by_revision ON logins (portal_id, revision);

-- redirect_uris: one a line. scopes: separated by blanks.
CREATE TABLE clients (
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    redirect_uris TEXT NOT NULL,
    scopes TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, app_id)
) PLACED;
CREATE INDEX clients_by_revision ON clients (portal_id, revision);

-- A grant begins with a code and goes on with a refresh token; user_id is null where an app acts for itself.
CREATE TABLE grants (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    user_id BIGINT,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    code_hash BYTEA,
    redirect_uri TEXT,
    challenge TEXT,
    code_expires_at BIGINT,
    code_used_at BIGINT,
    refresh_hash BYTEA,
    refresh_ended_at BIGINT,
    ended_at BIGINT,
    uninstalled_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX grants_by_revision ON grants (portal_id, revision);
