-- Which address was said in a chat, as addresses are compared: whoever has it may have to be forgotten, and nobody is to look
-- through all chats for them.
ALTER TABLE chats ADD COLUMN said_of TEXT;
UPDATE chats SET said_of = lower(trim(said::json ->> 'm')) WHERE said IS NOT NULL;
CREATE INDEX chats_said ON chats (portal_id, said_of, thread_id) WHERE said_of IS NOT NULL;
