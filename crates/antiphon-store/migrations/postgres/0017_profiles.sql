-- What clients are told of a portal besides its time zone, and which agent made an app.
ALTER TABLE portals ADD COLUMN currency TEXT NOT NULL DEFAULT 'USD';
ALTER TABLE portals ADD COLUMN account_type TEXT NOT NULL DEFAULT 'STANDARD';
ALTER TABLE apps ADD COLUMN user_id BIGINT;
