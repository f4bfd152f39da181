-- Whoever wrote last is found by the time at which that was: entries of a thread are in the order of their times. So a message
-- that comes in has one index less to enter.
DROP INDEX messages_incoming;
