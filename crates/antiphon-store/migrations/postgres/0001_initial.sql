-- The tables of the embedded engine, laid out for many writers. Rows belong to a portal: every unique key contains
-- portal_id and nothing refers across portals. `PLACED` stands for how the rows of a table are spread (schema.rs); a table
-- without it is small and the same everywhere.

CREATE TABLE server (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    next_portal BIGINT NOT NULL,
    next_app BIGINT NOT NULL
);
INSERT INTO server VALUES (1, 1, 1);

CREATE TABLE portals (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    quota_messages BIGINT,
    quota_bytes BIGINT,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);

-- An app is known by its id all over the server.
CREATE TABLE apps (
    id BIGINT PRIMARY KEY,
    portal_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    avatar TEXT,
    client_secret TEXT NOT NULL,
    developer_key TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX apps_of_portal ON apps (portal_id, revision);

-- The one table that is asked before the portal is known.
CREATE TABLE tokens (
    hash BYTEA PRIMARY KEY,
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    revision BIGINT NOT NULL
);
CREATE INDEX tokens_of_portal ON tokens (portal_id, revision);

-- Who does what only one node may do at a time, and until when it has said so.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder UUID NOT NULL,
    until TIMESTAMPTZ NOT NULL
);

-- What gives out ids. Whoever takes one holds the row until it commits, so that ids become visible in order.
CREATE TABLE counters (
    portal_id BIGINT NOT NULL,
    next_thread BIGINT NOT NULL,
    next_visitor BIGINT NOT NULL,
    next_ticket BIGINT NOT NULL,
    next_file BIGINT NOT NULL,
    next_inbox BIGINT NOT NULL,
    next_account BIGINT NOT NULL,
    next_actor BIGINT NOT NULL,
    event_position BIGINT NOT NULL,
    directory BIGINT NOT NULL, -- the portal's revision, where its inboxes, accounts and actors are
    PRIMARY KEY (portal_id)
) PLACED;

-- What a portal holds, in as many parts as there are writers, so that none waits for another. `batch` is the transaction
-- that wrote a part last: whoever lost the connection while committing finds out here what became of it.
CREATE TABLE tallies (
    portal_id BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    threads BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    latest_now BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    written_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (portal_id, slot)
) PLACED;

-- What nodes have used of a limit, by slots of time, and what they hold that they may still use. `revision` moves with
-- every write, so that nobody overwrites what it has not seen.
CREATE TABLE allowances (
    portal_id BIGINT NOT NULL,
    key BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    slots BIGINT[] NOT NULL,
    used BIGINT[] NOT NULL,
    nodes BIGINT[] NOT NULL,
    held BIGINT[] NOT NULL,
    drawn BIGINT[] NOT NULL,
    written_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (portal_id, key)
) PLACED;

CREATE TABLE inboxes (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    kind BIGINT NOT NULL,
    assign_on_reply BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX inboxes_by_revision ON inboxes (portal_id, revision);

CREATE TABLE accounts (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    authorized BOOLEAN NOT NULL,
    identifier_kind TEXT,
    identifier_value TEXT,
    adapter BIGINT NOT NULL,
    welcome TEXT,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX accounts_by_revision ON accounts (portal_id, revision);

CREATE TABLE actors (
    portal_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT,
    email TEXT,
    avatar TEXT,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, kind, id)
) PLACED;
CREATE INDEX actors_by_revision ON actors (portal_id, revision);

CREATE TABLE visitors (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    contact BOOLEAN NOT NULL,
    name TEXT,
    email TEXT,
    email_key TEXT, -- the email in lower case
    phone TEXT,
    avatar TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX visitors_by_email ON visitors (portal_id, email_key, id) WHERE email_key IS NOT NULL;
CREATE INDEX visitors_contacts ON visitors (portal_id, id) WHERE contact;
CREATE UNIQUE INDEX visitors_contact_email ON visitors (portal_id, email_key) WHERE contact AND email_key IS NOT NULL;
CREATE UNIQUE INDEX visitors_contact_phone ON visitors (portal_id, phone) WHERE contact AND phone IS NOT NULL;

CREATE TABLE identities (
    portal_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL, -- email addresses in lower case
    visitor_id BIGINT NOT NULL,
    PRIMARY KEY (portal_id, account_id, kind, value)
) PLACED;
CREATE INDEX identities_of_visitor ON identities (portal_id, visitor_id);

CREATE TABLE tickets (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    subject TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;

CREATE TABLE files (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT,
    url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX files_by_url ON files (portal_id, md5(url), id);

-- population = 2 × archived + closed: the four sets that lists are made of. No index holds a column that moves with every
-- message: those updates then touch no index at all.
CREATE TABLE threads (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    population BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    visitor_id BIGINT NOT NULL,
    spam BOOLEAN NOT NULL,
    assigned_to TEXT,
    ticket_id BIGINT,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    archived_at BIGINT,
    latest_message_at BIGINT,
    latest_sent_at BIGINT,
    latest_received_at BIGINT,
    latest_message_id BYTEA,
    latest_entry_at BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    subject TEXT,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX threads_by_population ON threads (portal_id, population, id);
CREATE INDEX threads_by_inbox ON threads (portal_id, inbox_id, population, id);
CREATE INDEX threads_by_visitor ON threads (portal_id, visitor_id, population, id);
CREATE INDEX threads_by_ticket ON threads (portal_id, ticket_id, id) WHERE ticket_id IS NOT NULL;
CREATE INDEX threads_live_by_account ON threads (portal_id, visitor_id, account_id, id) WHERE archived_at IS NULL;
CREATE INDEX threads_in_trash ON threads (portal_id, archived_at) WHERE archived_at IS NOT NULL;

-- Where a thread stands in the lists that are sorted by its newest message; threads without one have no row.
CREATE TABLE thread_places (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    population BIGINT NOT NULL,
    visitor_id BIGINT NOT NULL,
    latest_message_at BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX thread_places_by_inbox ON thread_places (portal_id, inbox_id, population, latest_message_at, id);
CREATE INDEX thread_places_by_visitor ON thread_places (portal_id, visitor_id, population, latest_message_at, id);

CREATE TABLE thread_keys (
    portal_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    thread_id BIGINT NOT NULL,
    PRIMARY KEY (portal_id, account_id, key)
) PLACED;
CREATE INDEX thread_keys_of_thread ON thread_keys (portal_id, thread_id);

CREATE TABLE idempotency_keys (
    portal_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    thread_id BIGINT NOT NULL,
    message_id BYTEA NOT NULL,
    PRIMARY KEY (portal_id, account_id, key)
) PLACED;
CREATE INDEX idempotency_keys_of_thread ON idempotency_keys (portal_id, thread_id);

-- key = thread id << 24 | sequence, so that a page of history is one range of the index.
CREATE TABLE messages (
    key BIGINT NOT NULL,
    portal_id BIGINT NOT NULL,
    id BYTEA NOT NULL,
    kind SMALLINT NOT NULL,
    direction SMALLINT,
    created_at BIGINT NOT NULL,
    format SMALLINT NOT NULL,
    doc BYTEA NOT NULL,
    holes BYTEA,
    PRIMARY KEY (portal_id, key)
) PLACED;
CREATE UNIQUE INDEX messages_by_id ON messages (portal_id, id);
-- Who wrote last, however much was answered since.
CREATE INDEX messages_incoming ON messages (portal_id, key) WHERE direction = 1;

CREATE TABLE originals (
    portal_id BIGINT NOT NULL,
    message BIGINT NOT NULL, -- the message's key
    body BYTEA NOT NULL,
    PRIMARY KEY (portal_id, message)
) PLACED;

-- Who and what is named in a message besides the thread's visitor, so that erasing finds it. kind: 2 visitor, 4 file.
CREATE TABLE mentions (
    portal_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    object_id BIGINT NOT NULL,
    message BIGINT NOT NULL,
    PRIMARY KEY (portal_id, kind, object_id, message)
) PLACED;
CREATE INDEX mentions_of_message ON mentions (portal_id, message);

-- Threads that are gone for readers and still have rows to erase.
CREATE TABLE purges (
    portal_id BIGINT NOT NULL,
    thread_id BIGINT NOT NULL,
    PRIMARY KEY (portal_id, thread_id)
) PLACED;

CREATE TABLE events (
    portal_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    object SMALLINT NOT NULL,
    object_id BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (portal_id, position)
) PLACED;

-- Events that are committed and have no position yet, as they were recorded: when by the database's clock (microseconds),
-- by which transaction, and which of its events.
CREATE TABLE unnumbered_events (
    portal_id BIGINT NOT NULL,
    stamp BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    object SMALLINT NOT NULL,
    object_id BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (portal_id, stamp, batch, ordinal)
) PLACED;
