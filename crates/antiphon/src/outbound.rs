//! The only door to the internet: what the server sends to addresses that others chose.

mod target;

pub use target::{MAX_LENGTH, TargetUrl};
