//! Live chat on web pages, as visitors meet it: whose page may show it, who a visitor is, and what they say and see.
//!
//! Whoever calls here has no token. A visitor has a [`session`], which the server signs and keeps nowhere; what they see are the
//! threads that their key began, and of those nothing but what was said to them. An address that nobody has proved opens nothing.
//! What they say comes in through [`crate::messages::receive`], like everything else that comes in.

pub mod config;
pub mod contact;
pub mod files;
pub mod floods;
pub mod follow;
pub mod frame;
pub mod history;
pub mod hours;
pub mod origin;
pub mod places;
pub mod print;
pub mod reading;
pub mod say;
pub mod session;
pub mod sessions;
pub mod settings;
pub mod stream;
pub mod threads;
pub mod typing;
pub mod visit;
