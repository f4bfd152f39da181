//! The spine on PostgreSQL, with several nodes, some of them in trouble. Writers here are connections of the test's own:
//! they leave events as the engine's committers do, and tell nobody.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod kit;

mod guests;
mod leases;
mod numbering;
mod takeover;
mod waiting;
