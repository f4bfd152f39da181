//! What a message knows of the files attached to it.

use crate::Millis;

/// A file that messages can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    pub id: i64,
    /// Name with extension.
    pub name: String,
    /// Media type, such as `image/png`.
    pub media_type: String,
    /// Bytes, when known.
    pub size: Option<i64>,
    /// Absolute URL the bytes are read from.
    pub url: String,
    pub created_at: Millis,
}
