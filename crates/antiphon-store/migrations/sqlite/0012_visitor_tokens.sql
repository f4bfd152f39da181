-- What an app says of a visitor where a token has no room for it: the token names its end and its nonce, and a row goes once it
-- has ended. The key is the order in which rows end.
CREATE TABLE visitor_tokens (
    portal_id INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    nonce INTEGER NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (portal_id, ends_at, nonce)
) STRICT, WITHOUT ROWID;
