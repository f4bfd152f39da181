//! The engine for several nodes: one PostgreSQL database, group commit on a few connections, reads on a few more.
//!
//! What nodes tell each other goes through the database. Nothing that another node may change is believed without asking:
//! see [`caches`] for directories, [`events`] for the spine.

#![expect(dead_code, reason = "the engine is being built; its door comes last")]

mod connect;
mod failure;
mod messages;
mod purge;
mod readers;
mod schema;
mod thread_list;
mod threads;
mod visitors;
