//! What happened, told to apps: each event that one of their subscriptions names is posted to their target URL, signed, until
//! it arrives or its time is over. Nothing here decides what happened; the event spine is read, with a cursor for each app.

pub mod admin;
pub mod batch;
pub mod deliver;
pub mod event_id;
pub mod figures;
pub mod log;
pub mod pause;
pub mod retry;
pub mod sent;
pub mod settings;
pub mod sign;
pub mod subscriptions;
pub mod target;
