-- How live chat on an account appears on web pages, as a JSON object; none until somebody has set it up.
ALTER TABLE accounts ADD COLUMN chat TEXT;

-- Whose each thread on live chat is: what a visitor may see goes by the key that began the thread, never by the person behind
-- it, since an address that nobody has proved must not open what somebody else wrote. said: a JSON object with what is kept of
-- the beginning.
CREATE TABLE chats (
    portal_id BIGINT NOT NULL,
    thread_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    visitor_key TEXT NOT NULL,
    said TEXT,
    PRIMARY KEY (portal_id, thread_id)
) PLACED;
CREATE INDEX chats_of_visitors ON chats (portal_id, account_id, visitor_key, thread_id);
