-- Since when an app is told nothing more of a channel that it brought, while what still waits is given up.
ALTER TABLE webhooks ADD COLUMN closing_at INTEGER;
