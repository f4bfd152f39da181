-- What threads can be marked with.
CREATE TABLE tags (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    color INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    archived_at INTEGER,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;

-- Lists of threads that somebody wants to see again. Lists of numbers have a blank between them.
CREATE TABLE views (
    portal_id INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    shared INTEGER NOT NULL,
    owner_id INTEGER, -- the agent
    position INTEGER NOT NULL,
    inboxes TEXT NOT NULL,
    accounts TEXT NOT NULL,
    states TEXT NOT NULL,
    assignee TEXT NOT NULL,
    tag_id INTEGER,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (portal_id, id)
) STRICT, WITHOUT ROWID;

-- The threads that are there already.
INSERT INTO thread_counts (portal_id, tag_id, state, inbox_id, account_id, assigned_to, n)
    SELECT portal_id, 0, state, inbox_id, account_id, coalesce(assigned_to, ''), count(*) FROM threads GROUP BY 1, 3, 4, 5, 6;
