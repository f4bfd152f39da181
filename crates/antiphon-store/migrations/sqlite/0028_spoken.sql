-- Every message began this trigger, which had something to do for threads with tags alone. The writer knows those, and moves the
-- rows of their tags itself.
DROP TRIGGER threads_spoken;
