-- An account that was removed for good stays as a row that says so: whoever holds the directory learns of it.
ALTER TABLE accounts ADD COLUMN deleted_at BIGINT;
