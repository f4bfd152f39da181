-- A portal with so many threads, a visitor, a ticket, a file and an event to each. Some are given to two agents, some snoozed,
-- some spam; 40 have a tag, and those with even numbers another.

INSERT INTO threads (portal_id, id, inbox_id, population, channel_id, account_id, visitor_id, spam, ticket_id, created_at,
    closed_at, archived_at, latest_message_at, latest_entry_at, entries, revision, assigned_to, snoozed_until, tags)
SELECT $PORTAL, n, 1 + n % 3, n / 3 % 4, 1000, 1, CASE WHEN n <= 40 THEN 1 ELSE n END, n % 11 = 0,
    CASE WHEN n <= 40 AND n % 5 = 0 THEN 1 END, n, NULL, CASE WHEN n / 3 % 4 > 1 THEN n END, n * 7919 % 100003, n,
    CASE WHEN n = 480 THEN 40 ELSE 2 END, 1, CASE n % 7 WHEN 0 THEN 'A-1' WHEN 1 THEN 'A-2' END,
    CASE WHEN n % 13 = 0 THEN n + 1000000 END, CASE WHEN n <= 40 THEN '[1,2]' WHEN n % 2 = 0 THEN '[2]' END
FROM generate_series(1, $SIZE) n;

INSERT INTO thread_places (portal_id, id, inbox_id, population, visitor_id, latest_message_at, account_id, state, assigned_to,
    latest_at)
SELECT portal_id, id, inbox_id, population, visitor_id, latest_message_at, account_id,
    CASE WHEN population > 1 THEN 4 WHEN spam THEN 3 WHEN population = 1 THEN 2 WHEN snoozed_until IS NOT NULL THEN 1 ELSE 0 END,
    coalesce(assigned_to, ''), latest_message_at FROM threads WHERE portal_id = $PORTAL;

INSERT INTO thread_tags (portal_id, thread_id, tag_id, inbox_id, account_id, state, assigned_to, latest_at)
SELECT p.portal_id, p.id, tag::bigint, p.inbox_id, p.account_id, p.state, p.assigned_to, p.latest_at
FROM threads t JOIN thread_places p ON p.portal_id = t.portal_id AND p.id = t.id,
    json_array_elements_text(t.tags::json) tag WHERE t.portal_id = $PORTAL;

INSERT INTO thread_counts (portal_id, tag_id, state, inbox_id, account_id, assigned_to, slot, n)
SELECT $PORTAL, 0, state, inbox_id, account_id, assigned_to, 0, count(*) FROM thread_places WHERE portal_id = $PORTAL
    GROUP BY state, inbox_id, account_id, assigned_to UNION ALL
SELECT $PORTAL, tag_id, state, inbox_id, account_id, assigned_to, 0, count(*) FROM thread_tags WHERE portal_id = $PORTAL
    GROUP BY tag_id, state, inbox_id, account_id, assigned_to;

INSERT INTO messages (portal_id, key, id, kind, direction, created_at, format, doc)
SELECT $PORTAL, (t.id << 24) + s, decode(lpad(to_hex(t.id), 16, '0') || lpad(to_hex(s), 16, '0'), 'hex'), 1, 1, t.id + s, 1,
    '{"text":"hello"'::bytea
FROM threads t, generate_series(0, t.entries - 1) s WHERE t.portal_id = $PORTAL;

INSERT INTO visitors (portal_id, id, contact, email, email_key, phone, created_at, updated_at, revision)
SELECT $PORTAL, n, n % 2 = 1 OR n < 100, 'v' || n || '@example.org', 'v' || n || '@example.org', '+' || n, n, n, 1
FROM generate_series(1, $SIZE) n;

INSERT INTO tickets (portal_id, id, subject, created_at, revision)
SELECT $PORTAL, n, 'Ticket', n, 1 FROM generate_series(1, $SIZE) n;

-- Files in 50 folders, and as many folders in one of those.
INSERT INTO files (portal_id, id, name, media_type, size, url, created_at, revision, extension, access, listed, folder_id, blob,
    updated_at, width, height, expires_at, name_key)
SELECT $PORTAL, n, n || '.txt', 'text/plain', n, 'https://example.org/' || n, n, 1, 'txt', 3, true, 1 + n % 50, decode(repeat('00', 32), 'hex'), n, n, n,
    n + 1000000000000000, n || '.txt' FROM generate_series(1, $SIZE) n;

INSERT INTO folders (portal_id, id, parent_id, name, created_at, updated_at, name_key)
SELECT $PORTAL, n, CASE WHEN n <= 50 THEN 0 ELSE 7 END, to_char(n, 'FM000000'), n, n, to_char(n, 'FM000000')
FROM generate_series(1, $SIZE) n;

INSERT INTO events (portal_id, position, kind, object, object_id, revision, occurred_at, payload)
SELECT $PORTAL, n, 1, 1, n, 1, n, '' FROM generate_series(1000, 1000 + $SIZE) n;

-- Logs of two apps: of one everything failed but long ago, of the other nothing did but long ago.
INSERT INTO attempts (portal_id, app_id, id, at, url, succeeded, status, millis, excerpt, events)
SELECT $PORTAL, app, n, n, 'u', (n <= 40) = (app = 1), CASE WHEN n <= 40 THEN 500 ELSE 200 END, 1, '', '[]'
FROM generate_series(1, $SIZE) n, generate_series(1, 2) app;

INSERT INTO deliveries (portal_id, app_id, position, subscription_id, object_id, attempts, first_at, last_at, due_at, error)
SELECT $PORTAL, app, n, 1, n, 1, n, n, CASE WHEN (n > $SIZE - 40) = (app = 1) THEN n END, ''
FROM generate_series(1, $SIZE) n, generate_series(1, 2) app;

-- Chats: 40 of one browser, and one of each other; in one of ten an address was said.
INSERT INTO chats (portal_id, thread_id, account_id, visitor_key, said, said_of)
SELECT $PORTAL, n, 1, 'key ' || CASE WHEN n <= 40 THEN 1 ELSE n END, '{}',
    CASE WHEN n % 10 = 0 THEN 'v' || n || '@example.org' END FROM generate_series(1, $SIZE) n;

-- One agent has begun to answer in 40 threads and another in all the others; the first has read everything.
INSERT INTO drafts (portal_id, thread_id, agent_id, kind, preview, body, touched_at)
SELECT $PORTAL, n, CASE WHEN n <= 40 THEN 1 ELSE 2 END, 1, 'hello', '{}', n FROM generate_series(1, $SIZE) n;

INSERT INTO reads (portal_id, thread_id, reader, sequence, message_id, at)
SELECT $PORTAL, n, 'A-1', 0, decode(lpad(to_hex(n), 16, '0') || repeat('0', 16), 'hex'), n FROM generate_series(1, $SIZE) n;

-- Sessions of many agents, of whom agent 1 has 20; acts of two actors.
INSERT INTO sessions (portal_id, id, agent_id, login_at, created_at, turned_at, ends_at, secret, browser, address)
SELECT $PORTAL, decode(lpad(to_hex(n), 32, '0'), 'hex'), CASE WHEN n <= 20 THEN 1 ELSE n END, n, n, n, n,
    decode(repeat('00', 32), 'hex'), 'Browser', '192.0.2.7' FROM generate_series(1, $SIZE) n;

INSERT INTO audit (portal_id, id, at, actor, action, address, said)
SELECT $PORTAL, decode(lpad(to_hex(n), 12, '0') || repeat('0', 20), 'hex'), n, CASE WHEN n <= 40 THEN 'A-1' ELSE 'A-2' END,
    CASE WHEN n <= 60 THEN 'inboxes' ELSE 'tokens' END, '', '[]' FROM generate_series(1, $SIZE) n;

UPDATE counters SET next_thread = $SIZE + 1, next_visitor = $SIZE + 1, next_ticket = $SIZE + 1, next_file = $SIZE + 1,
    event_position = 1000 + $SIZE WHERE portal_id = $PORTAL;
