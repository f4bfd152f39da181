-- Names without regard to case, for those who look for a part of one. Where there is none yet, the sweep sees to it. And what the
-- order of paths is walked along: in each folder its files, the folders in it, and what is in those.
ALTER TABLE files ADD COLUMN name_key TEXT;
ALTER TABLE folders ADD COLUMN name_key TEXT;
CREATE INDEX files_without_key ON files (portal_id, id) WHERE name_key IS NULL;
CREATE INDEX folders_without_key ON folders (portal_id, id) WHERE name_key IS NULL;
CREATE INDEX files_listed_in_folder ON files (portal_id, folder_id, name COLLATE "C", id) WHERE listed;
CREATE INDEX folders_in_folder ON folders (portal_id, parent_id, name COLLATE "C", id) WHERE archived_at IS NULL;
CREATE INDEX folders_by_content ON folders (portal_id, parent_id, ((name || '/') COLLATE "C")) WHERE archived_at IS NULL;
