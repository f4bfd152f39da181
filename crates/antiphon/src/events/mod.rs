//! What happened, as the spine records it. Readers of the spine come later; what they will read is decided here.

pub mod kinds;
pub mod list;
pub mod retention;
