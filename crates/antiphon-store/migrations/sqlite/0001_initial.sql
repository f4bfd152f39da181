-- Rows belong to a portal: every unique key contains portal_id and nothing refers across portals.

CREATE TABLE server (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    next_portal INTEGER NOT NULL,
    next_app INTEGER NOT NULL
) STRICT;
INSERT INTO server VALUES (1, 1, 1);

CREATE TABLE portals (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    quota_messages INTEGER,
    quota_bytes INTEGER,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

-- One row per portal, written once per transaction.
CREATE TABLE counters (
    portal_id INTEGER PRIMARY KEY,
    next_thread INTEGER NOT NULL,
    next_visitor INTEGER NOT NULL,
    next_ticket INTEGER NOT NULL,
    next_file INTEGER NOT NULL,
    next_inbox INTEGER NOT NULL,
    next_account INTEGER NOT NULL,
    next_actor INTEGER NOT NULL,
    threads INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    event_position INTEGER NOT NULL,
    latest_now INTEGER NOT NULL
) STRICT;

CREATE TABLE inboxes (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind INTEGER NOT NULL,
    assign_on_reply INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    archived_at INTEGER,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    inbox_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    active INTEGER NOT NULL,
    authorized INTEGER NOT NULL,
    identifier_kind TEXT,
    identifier_value TEXT,
    adapter INTEGER NOT NULL,
    welcome TEXT,
    created_at INTEGER NOT NULL,
    archived_at INTEGER,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE actors (
    portal_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT,
    email TEXT,
    avatar TEXT,
    active INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (portal_id, kind, id)
) STRICT, WITHOUT ROWID;

-- An app is known by its id all over the server.
CREATE TABLE apps (
    id INTEGER PRIMARY KEY,
    portal_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    avatar TEXT,
    client_secret TEXT NOT NULL,
    developer_key TEXT NOT NULL,
    active INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX apps_of_portal ON apps (portal_id);

-- The one table that is asked before the portal is known.
CREATE TABLE tokens (
    hash BLOB PRIMARY KEY,
    portal_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    label TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_of_portal ON tokens (portal_id);

CREATE TABLE visitors (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    name TEXT,
    email TEXT,
    email_key TEXT, -- the email in lower case
    phone TEXT,
    avatar TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX visitors_by_email ON visitors (portal_id, email_key, id) WHERE email_key IS NOT NULL;
CREATE INDEX visitors_contacts ON visitors (portal_id, id) WHERE contact = 1;
CREATE UNIQUE INDEX visitors_contact_email ON visitors (portal_id, email_key) WHERE contact = 1 AND email_key IS NOT NULL;
CREATE UNIQUE INDEX visitors_contact_phone ON visitors (portal_id, phone) WHERE contact = 1 AND phone IS NOT NULL;

CREATE TABLE identities (
    portal_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL, -- email addresses in lower case
    visitor_id INTEGER NOT NULL,
    PRIMARY KEY (portal_id, account_id, kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_of_visitor ON identities (portal_id, visitor_id);

CREATE TABLE tickets (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER,
    url TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_url ON files (portal_id, url);

-- population = 2 × archived + closed: the four sets that lists are made of.
CREATE TABLE threads (
    number INTEGER PRIMARY KEY,
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    inbox_id INTEGER NOT NULL,
    population INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    visitor_id INTEGER NOT NULL,
    spam INTEGER NOT NULL,
    assigned_to TEXT,
    ticket_id INTEGER,
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    archived_at INTEGER,
    latest_message_at INTEGER,
    latest_sent_at INTEGER,
    latest_received_at INTEGER,
    latest_message_id BLOB,
    latest_entry_at INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    subject TEXT
) STRICT;
CREATE UNIQUE INDEX threads_by_id ON threads (portal_id, id);
CREATE INDEX threads_by_population ON threads (portal_id, population, id);
CREATE INDEX threads_by_inbox ON threads (portal_id, inbox_id, population, id);
CREATE INDEX threads_by_inbox_latest ON threads (portal_id, inbox_id, population, latest_message_at, id);
CREATE INDEX threads_by_visitor ON threads (portal_id, visitor_id, population, id);
CREATE INDEX threads_by_visitor_latest ON threads (portal_id, visitor_id, population, latest_message_at, id);
CREATE INDEX threads_by_ticket ON threads (portal_id, ticket_id, id) WHERE ticket_id IS NOT NULL;
CREATE INDEX threads_live_by_account ON threads (portal_id, visitor_id, account_id, id) WHERE archived_at IS NULL;
CREATE INDEX threads_in_trash ON threads (portal_id, archived_at) WHERE archived_at IS NOT NULL;

CREATE TABLE thread_keys (
    portal_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    thread_id INTEGER NOT NULL,
    PRIMARY KEY (portal_id, account_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_keys_of_thread ON thread_keys (portal_id, thread_id);

CREATE TABLE idempotency_keys (
    portal_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    thread_id INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    PRIMARY KEY (portal_id, account_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_of_thread ON idempotency_keys (portal_id, thread_id);

-- Clustered by thread: key = thread number << 24 | sequence, so that a page of history is one range.
CREATE TABLE messages (
    key INTEGER PRIMARY KEY,
    portal_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    direction INTEGER,
    created_at INTEGER NOT NULL,
    format INTEGER NOT NULL,
    doc BLOB NOT NULL,
    holes BLOB
) STRICT;
CREATE UNIQUE INDEX messages_by_id ON messages (portal_id, id);
-- Who wrote last, however much was answered since.
CREATE INDEX messages_incoming ON messages (key) WHERE direction = 1;

CREATE TABLE originals (
    message INTEGER PRIMARY KEY, -- the message's key
    body BLOB NOT NULL
) STRICT;

-- Who and what is named in a message besides the thread's visitor, so that erasing finds it. kind: 2 visitor, 4 file.
CREATE TABLE mentions (
    portal_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    object_id INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (portal_id, kind, object_id, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_of_message ON mentions (message);

-- Threads that are gone for readers and still have rows to erase.
CREATE TABLE purges (
    number INTEGER PRIMARY KEY,
    portal_id INTEGER NOT NULL,
    thread_id INTEGER NOT NULL
) STRICT;
CREATE INDEX purges_of_portal ON purges (portal_id, number);

CREATE TABLE events (
    portal_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    object INTEGER NOT NULL,
    object_id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (portal_id, position)
) STRICT, WITHOUT ROWID;
