-- Files whose bytes are kept here, the folders they are in, and what is done with them later. A file without bytes of its own
-- is hosted elsewhere, at its url. Documents may have holes from now on, for signed addresses (format 2).

ALTER TABLE files ADD COLUMN extension TEXT NOT NULL DEFAULT ''; -- the name's last part, without its dot
ALTER TABLE files ADD COLUMN access BIGINT NOT NULL DEFAULT 6;
ALTER TABLE files ADD COLUMN listed BOOLEAN NOT NULL DEFAULT FALSE; -- whether lists show it: neither hidden nor archived
ALTER TABLE files ADD COLUMN folder_id BIGINT NOT NULL DEFAULT 0; -- 0 is the root
ALTER TABLE files ADD COLUMN blob BYTEA; -- SHA-256 of its bytes
ALTER TABLE files ADD COLUMN md5 TEXT;
ALTER TABLE files ADD COLUMN encoding TEXT;
ALTER TABLE files ADD COLUMN width BIGINT;
ALTER TABLE files ADD COLUMN height BIGINT;
ALTER TABLE files ADD COLUMN usable BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE files ADD COLUMN source BIGINT NOT NULL DEFAULT 1;
ALTER TABLE files ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN archived_at BIGINT;
ALTER TABLE files ADD COLUMN expires_at BIGINT;
ALTER TABLE files ADD COLUMN erased_at BIGINT; -- gone for everybody; messages may still name it
CREATE INDEX files_in_folder ON files (portal_id, folder_id, name) WHERE blob IS NOT NULL AND archived_at IS NULL;
CREATE INDEX files_by_md5 ON files (portal_id, md5, size) WHERE md5 IS NOT NULL AND archived_at IS NULL;
CREATE INDEX files_by_blob ON files (portal_id, blob) WHERE blob IS NOT NULL;
CREATE INDEX files_expiring ON files (portal_id, expires_at) WHERE expires_at IS NOT NULL AND archived_at IS NULL;
CREATE INDEX files_archived ON files (portal_id, archived_at) WHERE archived_at IS NOT NULL AND blob IS NOT NULL;
CREATE INDEX files_erased ON files (portal_id, erased_at) WHERE erased_at IS NOT NULL;
-- One for each order in which files are listed.
CREATE INDEX files_listed ON files (portal_id, id) WHERE listed;
CREATE INDEX files_listed_by_name ON files (portal_id, name, id) WHERE listed;
CREATE INDEX files_listed_by_creation ON files (portal_id, created_at, id) WHERE listed;
CREATE INDEX files_listed_by_update ON files (portal_id, updated_at, id) WHERE listed;
CREATE INDEX files_listed_by_expiry ON files (portal_id, coalesce(expires_at, 0), id) WHERE listed;
CREATE INDEX files_listed_by_size ON files (portal_id, coalesce(size, 0), id) WHERE listed;
CREATE INDEX files_listed_by_width ON files (portal_id, coalesce(width, 0), id) WHERE listed;
CREATE INDEX files_listed_by_height ON files (portal_id, coalesce(height, 0), id) WHERE listed;

-- A folder's id is one of the counter that files have.
CREATE TABLE folders (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    parent_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE UNIQUE INDEX folders_by_name ON folders (portal_id, parent_id, name) WHERE archived_at IS NULL;
CREATE INDEX folders_listed ON folders (portal_id, id) WHERE archived_at IS NULL;
CREATE INDEX folders_listed_by_name ON folders (portal_id, name, id) WHERE archived_at IS NULL;
CREATE INDEX folders_listed_by_creation ON folders (portal_id, created_at, id) WHERE archived_at IS NULL;
CREATE INDEX folders_listed_by_update ON folders (portal_id, updated_at, id) WHERE archived_at IS NULL;

-- Bytes: the object they are in, and since when no file has them (0: they are being erased).
CREATE TABLE blobs (
    portal_id BIGINT NOT NULL,
    sha BYTEA NOT NULL,
    object TEXT NOT NULL,
    size BIGINT NOT NULL,
    tombstone_at BIGINT,
    PRIMARY KEY (portal_id, sha)
) PLACED;
CREATE UNIQUE INDEX blobs_by_object ON blobs (portal_id, object);
CREATE INDEX blobs_idle ON blobs (portal_id, tombstone_at) WHERE tombstone_at IS NOT NULL;

-- kind: 1 import, 2 a folder's update. status: 1 pending, 2 processing, 3 complete. body: what is asked for, as JSON.
-- leased_until: machine time until which somebody is at it. object_id: what came of it. errors: as JSON.
CREATE TABLE file_tasks (
    portal_id BIGINT NOT NULL,
    id TEXT NOT NULL,
    kind BIGINT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    started_at BIGINT,
    completed_at BIGINT,
    leased_until BIGINT NOT NULL,
    object_id BIGINT,
    errors TEXT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX file_tasks_open ON file_tasks (portal_id, leased_until) WHERE status < 3;
CREATE INDEX file_tasks_by_time ON file_tasks (portal_id, requested_at);
