//! The embedded engine: SQLite.

pub(crate) struct Engine;
