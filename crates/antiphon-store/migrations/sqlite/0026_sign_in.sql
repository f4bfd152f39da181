-- How agents come to sign in, and with what. invite: a hash of the link that lets an agent choose a password. totp: sealed, as is
-- totp_asked, which is taken up once a code of it comes. recovery: hashes of codes that are good once each. subject: who the
-- agent is elsewhere, where that vouches for them.
ALTER TABLE logins ADD COLUMN invite BLOB;
ALTER TABLE logins ADD COLUMN invite_until INTEGER;
ALTER TABLE logins ADD COLUMN totp TEXT;
ALTER TABLE logins ADD COLUMN totp_asked TEXT;
ALTER TABLE logins ADD COLUMN recovery TEXT;
ALTER TABLE logins ADD COLUMN subject TEXT;

-- Who changed what in a portal's settings, and from where. The id is the order in which it happened. said: JSON, without secrets.
CREATE TABLE audit (
    portal_id INTEGER NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    address TEXT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_of_actor ON audit (portal_id, actor, id);
CREATE INDEX audit_of_action ON audit (portal_id, action, id);
CREATE INDEX audit_of_both ON audit (portal_id, actor, action, id);
