//! Stores that are moved from place to place, and are the same there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../behaviour/kit.rs"]
#[allow(dead_code, reason = "it serves the behaviour suite first")]
mod kit;
#[path = "../postgres/plans.rs"]
#[allow(dead_code, reason = "the kit needs it")]
mod plans;

mod backups;
mod fill;
mod offline;
mod online;
mod seen;
