//! What becomes of changes when the database, or the way to it, fails: what was acknowledged is there once, what was refused
//! is not there, and it goes on by itself. A judge outside of the store, with a connection of its own, decides.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod judge;
mod kit;

mod cuts;
mod disk;
mod limits;
mod locks;
mod restarts;
mod standby;
mod unknown;
