-- The journal of an app has what happened in every portal that has let it in: of_portal says where that was, 0 where the app is at
-- home. How far such a portal was read stands beside the entries, so that both are one write; epoch: whose turn it is.
ALTER TABLE journal_entries ADD COLUMN of_portal BIGINT NOT NULL DEFAULT 0;
CREATE INDEX journal_entries_of_portal ON journal_entries (portal_id, app_id, of_portal, id);
CREATE TABLE journal_places (
    portal_id BIGINT NOT NULL,
    app_id BIGINT NOT NULL,
    of_portal BIGINT NOT NULL,
    position BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    PRIMARY KEY (portal_id, app_id, of_portal)
) PLACED;
-- Whose journal has yet to say that an app was removed.
CREATE INDEX installs_parted ON installs (uninstalled_at) WHERE uninstalled_at IS NOT NULL;
