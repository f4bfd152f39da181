//! Visitors whom somebody else knows: a backend vouches for an email address and gets a token, with which a page tells us who
//! its visitor is.
//!
//! A token is signed with the server's own keys, and every node knows those of the others. Mostly it says everything itself, so
//! making one costs no write; what has no room in it is kept in a row until its end, and the token names the row. It identifies
//! nobody outside of its account, or past its time. Nothing here changes a contact; [`mod@start`] has the rule for when a
//! visitor begins to chat.

pub mod create;
pub mod start;
pub mod sweep;
pub mod token;
pub mod verify;
