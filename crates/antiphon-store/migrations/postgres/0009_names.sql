-- Files and folders are listed in the order of their names' bytes, as on the embedded engine and whatever the database's language.
DROP INDEX files_listed_by_name;
CREATE INDEX files_listed_by_name ON files (portal_id, name COLLATE "C", id) WHERE listed;
DROP INDEX folders_listed_by_name;
CREATE INDEX folders_listed_by_name ON folders (portal_id, name COLLATE "C", id) WHERE archived_at IS NULL;
