-- How far somebody has read a thread: an agent (A-71), or the visitor whose thread it is (V-9). sequence is the place of the
-- last entry that was read, message_id its id.
CREATE TABLE reads (
    portal_id BIGINT NOT NULL,
    thread_id BIGINT NOT NULL,
    reader TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    message_id BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (portal_id, thread_id, reader)
) PLACED;
