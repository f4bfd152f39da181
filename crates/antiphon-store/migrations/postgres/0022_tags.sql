-- What threads can be marked with.
CREATE TABLE tags (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    color BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX tags_by_revision ON tags (portal_id, revision);

-- Lists of threads that somebody wants to see again. Lists of numbers have a blank between them.
CREATE TABLE views (
    portal_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    shared BOOLEAN NOT NULL,
    owner_id BIGINT, -- the agent
    position BIGINT NOT NULL,
    inboxes TEXT NOT NULL,
    accounts TEXT NOT NULL,
    states TEXT NOT NULL,
    assignee TEXT NOT NULL,
    tag_id BIGINT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    revision BIGINT NOT NULL,
    PRIMARY KEY (portal_id, id)
) PLACED;
CREATE INDEX views_by_revision ON views (portal_id, revision);

-- The threads that are there already.
UPDATE thread_places p SET account_id = t.account_id, state = CASE WHEN t.population > 1 THEN 4 WHEN t.spam THEN 3
    WHEN t.population = 1 THEN 2 ELSE 0 END, assigned_to = coalesce(t.assigned_to, ''), latest_at = t.latest_message_at
    FROM threads t WHERE t.portal_id = p.portal_id AND t.id = p.id;
INSERT INTO thread_places (portal_id, id, inbox_id, population, visitor_id, account_id, state, assigned_to, latest_at)
    SELECT portal_id, id, inbox_id, population, visitor_id, account_id, CASE WHEN population > 1 THEN 4 WHEN spam THEN 3
    WHEN population = 1 THEN 2 ELSE 0 END, coalesce(assigned_to, ''), created_at FROM threads WHERE latest_message_at IS NULL;
INSERT INTO thread_counts (portal_id, tag_id, state, inbox_id, account_id, assigned_to, slot, n)
    SELECT portal_id, 0, state, inbox_id, account_id, assigned_to, 0, count(*) FROM thread_places
    GROUP BY portal_id, state, inbox_id, account_id, assigned_to;
