-- How far somebody has read a thread: an agent (A-71), or the visitor whose thread it is (V-9). sequence is the place of the
-- last entry that was read, message_id its id.
CREATE TABLE reads (
    portal_id INTEGER NOT NULL,
    thread_id INTEGER NOT NULL,
    reader TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (portal_id, thread_id, reader)
) STRICT, WITHOUT ROWID;
