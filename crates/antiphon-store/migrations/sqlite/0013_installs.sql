-- Which apps are let in where: in the portal that they belong to (home_id), and in others.
CREATE TABLE installs (
    portal_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    home_id INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    installed_at INTEGER NOT NULL,
    uninstalled_at INTEGER,
    PRIMARY KEY (portal_id, app_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX installs_of_app ON installs (app_id) WHERE uninstalled_at IS NULL;

-- Whoever was let in before: by the newest grant that was taken up and has not ended.
INSERT INTO installs (portal_id, app_id, home_id, scopes, installed_at)
SELECT portal_id, app_id, portal_id, scopes, created_at FROM grants g
WHERE user_id IS NOT NULL AND refresh_hash IS NOT NULL AND ended_at IS NULL AND uninstalled_at IS NULL
AND NOT EXISTS (SELECT 1 FROM grants n WHERE n.portal_id = g.portal_id AND n.app_id = g.app_id AND n.id > g.id
AND n.user_id IS NOT NULL AND n.refresh_hash IS NOT NULL AND n.ended_at IS NULL AND n.uninstalled_at IS NULL);

-- 16 and 128 beside 1 and 8: it would be told so wherever it is let in.
UPDATE apps SET told = told | ((told & 9) << 4);

-- When a subscription was switched on: in other portals, positions are others.
ALTER TABLE subscriptions ADD COLUMN since_at INTEGER NOT NULL DEFAULT 0;
