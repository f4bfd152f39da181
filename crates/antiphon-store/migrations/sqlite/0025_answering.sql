-- What agents have begun to write in a thread; each has one draft there. kind: 1 a message, 2 a note. preview: its beginning.
-- body: everything else of it, as JSON.
CREATE TABLE drafts (
    portal_id INTEGER NOT NULL,
    thread_id INTEGER NOT NULL,
    agent_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    preview TEXT NOT NULL,
    body TEXT NOT NULL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (portal_id, thread_id, agent_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX drafts_by_agent ON drafts (portal_id, agent_id, touched_at);
CREATE INDEX drafts_by_time ON drafts (portal_id, thread_id, touched_at);

-- Notes in which agents are called. Ids of messages grow, so that the key is the order in which it happened. sequence is the
-- note's place in its thread; seen: the agent has read as far.
CREATE TABLE callings (
    portal_id INTEGER NOT NULL,
    agent_id INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    thread_id INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    caller TEXT NOT NULL,
    at INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (portal_id, agent_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX callings_in_thread ON callings (portal_id, thread_id, agent_id, sequence);
CREATE INDEX callings_unseen ON callings (portal_id, agent_id) WHERE seen = 0;

-- Ready-made words. A shortcut means one of them to its owner, and one of those that are shared.
CREATE TABLE canned_replies (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    owner_id INTEGER,
    shared INTEGER NOT NULL,
    name TEXT NOT NULL,
    shortcut TEXT,
    text TEXT NOT NULL,
    rich_text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX canned_replies_by_shortcut ON canned_replies (portal_id, shortcut) WHERE shortcut IS NOT NULL;
