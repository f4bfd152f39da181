-- How agents see threads: what each waits for, under which tags, and how many there are of every kind.
ALTER TABLE threads ADD COLUMN snoozed_until BIGINT;
ALTER TABLE threads ADD COLUMN tags TEXT; -- their ids in ascending order, as a JSON array
ALTER TABLE threads ADD COLUMN preview TEXT; -- how the newest message begins
CREATE INDEX threads_snoozed ON threads (portal_id, snoozed_until) WHERE snoozed_until IS NOT NULL;

-- From now on every thread has a row here. state: 0 open, 1 snoozed, 2 closed, 3 spam, 4 archived. assigned_to is empty for
-- nobody. latest_at: when something was said last, or when it began.
ALTER TABLE thread_places ALTER COLUMN latest_message_at DROP NOT NULL;
ALTER TABLE thread_places ADD COLUMN account_id BIGINT;
ALTER TABLE thread_places ADD COLUMN state SMALLINT;
ALTER TABLE thread_places ADD COLUMN assigned_to TEXT;
ALTER TABLE thread_places ADD COLUMN latest_at BIGINT;
CREATE INDEX thread_places_by_work ON thread_places (portal_id, inbox_id, account_id, state, assigned_to, latest_at, id);
-- Every message moves its thread in that index, and would in this one as well. A visitor has few threads: they are sorted.
DROP INDEX thread_places_by_visitor;

-- A thread with each of its tags.
CREATE TABLE thread_tags (
    portal_id BIGINT NOT NULL,
    thread_id BIGINT NOT NULL,
    tag_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    assigned_to TEXT NOT NULL,
    latest_at BIGINT NOT NULL,
    PRIMARY KEY (portal_id, thread_id, tag_id)
) PLACED;
CREATE INDEX thread_tags_by_work ON thread_tags (portal_id, tag_id, inbox_id, account_id, state, assigned_to, latest_at, thread_id);

-- How many threads there are of a kind; of those with a tag, and, under tag 0, of all. It is counted in parts as everything is:
-- each writer has its own, and they are added up.
CREATE TABLE thread_counts (
    portal_id BIGINT NOT NULL,
    tag_id BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    assigned_to TEXT NOT NULL,
    slot BIGINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (portal_id, tag_id, state, inbox_id, account_id, assigned_to, slot)
) PLACED;
