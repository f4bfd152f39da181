-- How agents see threads: what each waits for, under which tags, and how many there are of every kind.
--
-- state: 0 open, 1 snoozed, 2 closed, 3 spam, 4 archived. latest_at: when something was said last, or when it began.
ALTER TABLE threads ADD COLUMN snoozed_until INTEGER;
ALTER TABLE threads ADD COLUMN tags TEXT; -- their ids in ascending order, as a JSON array
ALTER TABLE threads ADD COLUMN preview TEXT; -- how the newest message begins
ALTER TABLE threads ADD COLUMN state INTEGER GENERATED ALWAYS AS (
    CASE WHEN population > 1 THEN 4 WHEN spam THEN 3 WHEN population = 1 THEN 2 WHEN snoozed_until IS NOT NULL THEN 1 ELSE 0 END
) VIRTUAL;
ALTER TABLE threads ADD COLUMN latest_at INTEGER GENERATED ALWAYS AS (coalesce(latest_message_at, created_at)) VIRTUAL;
CREATE INDEX threads_by_work ON threads (portal_id, inbox_id, account_id, state, assigned_to, latest_at, id);
CREATE INDEX threads_snoozed ON threads (portal_id, snoozed_until) WHERE snoozed_until IS NOT NULL;
-- Every message moves its thread in that index, and would in this one as well. A visitor has few threads: they are sorted.
DROP INDEX threads_by_visitor_latest;

-- A thread with each of its tags.
CREATE TABLE thread_tags (
    portal_id INTEGER NOT NULL,
    thread_id INTEGER NOT NULL,
    tag_id INTEGER NOT NULL,
    inbox_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    state INTEGER NOT NULL,
    assigned_to TEXT NOT NULL, -- empty for nobody
    latest_at INTEGER NOT NULL,
    PRIMARY KEY (portal_id, thread_id, tag_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_tags_by_work ON thread_tags (portal_id, tag_id, inbox_id, account_id, state, assigned_to, latest_at, thread_id);

-- How many threads there are of a kind; of those with a tag, and, under tag 0, of all. assigned_to is empty for nobody. Kinds of
-- which there are none have no row: these are the ranges that lists are made of.
CREATE TABLE thread_counts (
    portal_id INTEGER NOT NULL,
    tag_id INTEGER NOT NULL,
    state INTEGER NOT NULL,
    inbox_id INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    assigned_to TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (portal_id, tag_id, state, inbox_id, account_id, assigned_to)
) STRICT, WITHOUT ROWID;

-- Both follow the threads, whoever writes those. What every message changes does not begin any of it, but for threads with tags.
CREATE TRIGGER threads_made AFTER INSERT ON threads BEGIN
    INSERT INTO thread_counts (portal_id, tag_id, state, inbox_id, account_id, assigned_to, n)
        VALUES (NEW.portal_id, 0, NEW.state, NEW.inbox_id, NEW.account_id, coalesce(NEW.assigned_to, ''), 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO thread_tags (portal_id, thread_id, tag_id, inbox_id, account_id, state, assigned_to, latest_at)
        SELECT NEW.portal_id, NEW.id, value, NEW.inbox_id, NEW.account_id, NEW.state, coalesce(NEW.assigned_to, ''), NEW.latest_at
        FROM json_each(NEW.tags);
END;
CREATE TRIGGER threads_changed
AFTER UPDATE OF inbox_id, account_id, population, spam, snoozed_until, assigned_to, tags ON threads
WHEN OLD.state <> NEW.state OR OLD.inbox_id <> NEW.inbox_id OR OLD.account_id <> NEW.account_id
    OR OLD.assigned_to IS NOT NEW.assigned_to OR OLD.tags IS NOT NEW.tags
BEGIN
    UPDATE thread_counts SET n = n - 1 WHERE portal_id = OLD.portal_id AND tag_id = 0 AND state = OLD.state
        AND inbox_id = OLD.inbox_id AND account_id = OLD.account_id AND assigned_to = coalesce(OLD.assigned_to, '');
    DELETE FROM thread_counts WHERE portal_id = OLD.portal_id AND tag_id = 0 AND state = OLD.state
        AND inbox_id = OLD.inbox_id AND account_id = OLD.account_id AND assigned_to = coalesce(OLD.assigned_to, '') AND n = 0;
    INSERT INTO thread_counts (portal_id, tag_id, state, inbox_id, account_id, assigned_to, n)
        VALUES (NEW.portal_id, 0, NEW.state, NEW.inbox_id, NEW.account_id, coalesce(NEW.assigned_to, ''), 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
    DELETE FROM thread_tags WHERE portal_id = OLD.portal_id AND thread_id = OLD.id;
    INSERT INTO thread_tags (portal_id, thread_id, tag_id, inbox_id, account_id, state, assigned_to, latest_at)
        SELECT NEW.portal_id, NEW.id, value, NEW.inbox_id, NEW.account_id, NEW.state, coalesce(NEW.assigned_to, ''), NEW.latest_at
        FROM json_each(NEW.tags);
END;
CREATE TRIGGER threads_spoken AFTER UPDATE OF latest_message_at ON threads
WHEN NEW.tags IS NOT NULL AND OLD.latest_message_at IS NOT NEW.latest_message_at
BEGIN
    UPDATE thread_tags SET latest_at = NEW.latest_at WHERE portal_id = NEW.portal_id AND thread_id = NEW.id;
END;
CREATE TRIGGER threads_gone AFTER DELETE ON threads BEGIN
    UPDATE thread_counts SET n = n - 1 WHERE portal_id = OLD.portal_id AND tag_id = 0 AND state = OLD.state
        AND inbox_id = OLD.inbox_id AND account_id = OLD.account_id AND assigned_to = coalesce(OLD.assigned_to, '');
    DELETE FROM thread_counts WHERE portal_id = OLD.portal_id AND tag_id = 0 AND state = OLD.state
        AND inbox_id = OLD.inbox_id AND account_id = OLD.account_id AND assigned_to = coalesce(OLD.assigned_to, '') AND n = 0;
    DELETE FROM thread_tags WHERE portal_id = OLD.portal_id AND thread_id = OLD.id;
END;
CREATE TRIGGER thread_tags_made AFTER INSERT ON thread_tags BEGIN
    INSERT INTO thread_counts (portal_id, tag_id, state, inbox_id, account_id, assigned_to, n)
        VALUES (NEW.portal_id, NEW.tag_id, NEW.state, NEW.inbox_id, NEW.account_id, NEW.assigned_to, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER thread_tags_gone AFTER DELETE ON thread_tags BEGIN
    UPDATE thread_counts SET n = n - 1 WHERE portal_id = OLD.portal_id AND tag_id = OLD.tag_id AND state = OLD.state
        AND inbox_id = OLD.inbox_id AND account_id = OLD.account_id AND assigned_to = OLD.assigned_to;
    DELETE FROM thread_counts WHERE portal_id = OLD.portal_id AND tag_id = OLD.tag_id AND state = OLD.state
        AND inbox_id = OLD.inbox_id AND account_id = OLD.account_id AND assigned_to = OLD.assigned_to AND n = 0;
END;
