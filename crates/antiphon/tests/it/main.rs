//! What the server answers, tried in process on a real store. The clock stands still, ids are counted, and every answer is
//! held against our own API description before a test sees it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod actors;
mod answering;
mod assignee;
mod attachments;
// mod channels;
mod conventions;
// mod coverage;
mod directory;
// mod errors;
// mod isolation;
mod kit;
// mod lifecycle;
// mod limits;
mod messages_read;
mod messages_send;
// mod own;
// mod paging;
mod queries;
// mod scenarios;
// mod sockets;
mod threads;
// mod tokens;
mod update;
