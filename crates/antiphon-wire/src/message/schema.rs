//! How messages look, for the API's description.

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// How a [`Message`](super::Message) looks when it is printed complete.
#[derive(Debug)]
pub struct MessageSchema;

impl PartialSchema for MessageSchema {
    fn schema() -> RefOr<Schema> {
        crate::schema::string().into()
    }
}

impl ToSchema for MessageSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "Message".into()
    }
}
