//! Small pieces of the OpenAPI description that are written by hand.

use utoipa::openapi::schema::{ObjectBuilder, Type};

/// A string, to be narrowed.
pub(crate) fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
