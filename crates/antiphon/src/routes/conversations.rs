//! The conversations family: threads, messages, actors, inboxes, channels and channel accounts.

use crate::operation::Operation;

/// The table.
pub const TABLE: &[Operation] = &[];
