//! What every engine has to do. The suite speaks to [`Store`](antiphon_store::Store) alone and opens it in one place,
//! [`kit::open`]; a second engine runs it by opening another there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod kit;
#[expect(dead_code, reason = "pages are counted where there are many")]
#[path = "../postgres/plans.rs"]
mod plans;

mod allowances;
mod audit;
mod backups;
mod changes;
mod chats;
mod conversations;
mod cursors;
mod desk;
mod directory;
mod drive;
mod events;
mod files;
mod history;
mod installs;
mod isolation;
mod journal;
mod paths;
mod purge;
mod secrets;
mod sessions;
mod thread_lists;
mod uses;
mod visitor_tokens;
mod visitors;
mod work;
