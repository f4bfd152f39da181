//! What every room may reach.

use antiphon_store::Store;

/// The running program: the store and, around it, what is configured.
pub struct App {
    pub store: Store,
    /// Scheme and host under which clients reach the server, without a trailing slash.
    pub public_url: String,
}
