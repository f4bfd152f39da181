//! What is PostgreSQL's own: where a store's rows lie, what its statements cost, and that its tables are those of the embedded
//! engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "it is the behaviour suite's, and has more than is wanted here")]
#[path = "../behaviour/kit.rs"]
mod kit;
mod plans;

mod citus;
mod flatness;
mod parts;
mod schemas;
