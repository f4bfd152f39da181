//! How letters are read and written, and nothing else: this crate knows no inbox, no store and no socket.
//!
//! Every function takes what a stranger sent and must come back in time proportional to its length, whatever it holds.
//! HTML is therefore read as a flat run of tokens: building a tree is quadratic in hostile nesting.

#![deny(missing_docs)]

mod cut;
pub mod html;
mod lines;
mod nesting;
pub mod quote;
pub mod subject;
pub mod text;
mod tokens;

pub use cut::{Cut, RICH_TEXT_LIMIT, TEXT_LIMIT, cut};
