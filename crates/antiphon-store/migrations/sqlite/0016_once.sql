-- Keys against doubles are erased with the messages they led to, and are found by them: ids of messages grow, so that a new key
-- lands beside the one before it, wherever its thread is.
DELETE FROM idempotency_keys WHERE EXISTS (SELECT 1 FROM purges
    WHERE purges.portal_id = idempotency_keys.portal_id AND purges.thread_id = idempotency_keys.thread_id);
DROP INDEX idempotency_keys_of_thread;
CREATE INDEX idempotency_keys_of_message ON idempotency_keys (portal_id, message_id);
