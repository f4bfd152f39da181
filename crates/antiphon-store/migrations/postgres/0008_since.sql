-- A subscription is told of what happens behind this position. Those that were made before are told of what their app's cursor
-- has not come to.
ALTER TABLE subscriptions ADD COLUMN since BIGINT NOT NULL DEFAULT 0;

-- What succeeded, or failed, is found however much else there is.
CREATE INDEX attempts_by_outcome ON attempts (portal_id, app_id, succeeded, id);
CREATE INDEX deliveries_waiting ON deliveries (portal_id, app_id, position, subscription_id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_given_up ON deliveries (portal_id, app_id, position, subscription_id) WHERE due_at IS NULL;
