-- What agents have begun to write in a thread; each has one draft there. kind: 1 a message, 2 a note. preview: its beginning.
-- body: everything else of it, as JSON.
CREATE TABLE drafts (
    portal_id BIGINT NOT NULL,
    thread_id BIGINT NOT NULL,
    agent_id BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    preview TEXT NOT NULL,
    body TEXT NOT NULL,
    touched_at BIGINT NOT NULL,
    PRIMARY KEY (portal_id, thread_id, agent_id)
) PLACED;
CREATE INDEX drafts_by_agent ON drafts (portal_id, agent_id, touched_at);
CREATE INDEX drafts_by_time ON drafts (portal_id, thread_id, touched_at);

-- Notes in which agents are called. Ids of messages grow, so that the key is the order in which it happened. sequence is the
-- note's place in its thread; seen: the agent has read as far.
CREATE TABLE callings (
    portal_id BIGINT NOT NULL,
    agent_id BIGINT NOT NULL,
    message_id BYTEA NOT NULL,
    thread_id BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    caller TEXT NOT NULL,
    at BIGINT NOT NULL,
    seen BOOLEAN NOT NULL,
    PRIMARY KEY (portal_id, agent_id, message_id)
) PLACED;
CREATE INDEX callings_in_thread ON callings (portal_id, thread_id, agent_id, sequence);
CREATE INDEX callings_unseen ON callings (portal_id, agent_id) WHERE NOT seen;

-- Ready-made words. A shortcut means one of them to its owner, and one of those that are shared.
CREATE TABLE canned_replies (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    owner_id BIGINT,
    shared BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    shortcut TEXT,
    text TEXT NOT NULL,
    rich_text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX canned_replies_by_shortcut ON canned_replies (portal_id, shortcut) WHERE shortcut IS NOT NULL;
