//! Several nodes on one database: what they know of each other, and what becomes of requests while they come and go.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod desk;
mod directory;
mod erasing;
mod files;
mod jobs;
mod journal;
mod keys;
mod kit;
mod limits;
mod oauth;
mod restarts;
mod sessions;
mod stream;
mod visitors;
mod webhooks;
