//! What the table in `routes.rs` is made of: an operation, where it is mounted, and what its documentation needs to know.

use utoipa::openapi::{RefOr, Schema};

use crate::call::{Answered, Call};

/// The version an operation was called in. The one place where versions differ is written out below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    V3,
    Beta2026_09,
    V2026_09,
    /// `/antiphon/v1`
    Own,
}

impl Version {
    /// Status of a batch of which some inputs were not found: 2026-09 knows no 207.
    pub fn partial_status(self) -> u16 {
        match self {
            Self::V3 | Self::Beta2026_09 => 207,
            Self::V2026_09 | Self::Own => 200,
        }
    }

    /// How the version is called in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::V3 => "v3",
            Self::Beta2026_09 => "2026-09-beta",
            Self::V2026_09 => "2026-09",
            Self::Own => "antiphon-v1",
        }
    }
}

/// The methods operations are called with. HEAD and OPTIONS follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// The method as it stands in a request line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A set of operations that are mounted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    Conversations,
    Own,
}

impl Family {
    /// Every prefix at which the family answers.
    pub fn prefixes(self) -> &'static [(&'static str, Version)] {
        match self {
            Self::Conversations => &[
                ("/conversations/v3/conversations", Version::V3),
                ("/conversations/conversations/v3", Version::V3),
                ("/conversations/conversations/2026-09-beta", Version::Beta2026_09),
                ("/conversations/conversations/2026-09", Version::V2026_09),
            ],
            Self::Own => &[("/antiphon/v1", Version::Own)],
        }
    }
}

/// What a token must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    Read,
    Write,
    /// `antiphon.admin`: our own calls that change the directory.
    Admin,
    /// `antiphon.inbound`: injecting traffic and starting threads.
    Inbound,
    /// `antiphon.operator`: what concerns more than one portal.
    Operator,
}

impl Scope {
    pub const ALL: [Self; 5] = [Self::Read, Self::Write, Self::Admin, Self::Inbound, Self::Operator];

    /// The scope as it stands in a token.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "conversations.read",
            Self::Write => "conversations.write",
            Self::Admin => "antiphon.admin",
            Self::Inbound => "antiphon.inbound",
            Self::Operator => "antiphon.operator",
        }
    }
}

/// A room's entrance.
pub type Door = fn(Call) -> Answered;

/// Turns a door into the form the table keeps.
#[macro_export]
macro_rules! door {
    ($door:path) => {
        |call| Box::pin($door(call))
    };
}

/// Describes a type for the OpenAPI document, and leaves behind the named types it is made of.
pub type Shape = fn(&mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema>;

/// The [`Shape`] of a type.
pub fn shape<T: utoipa::ToSchema>(named: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    let schema = T::schema();
    T::schemas(named);
    if matches!(schema, RefOr::Ref(_)) {
        return schema;
    }
    let name = T::name().to_string();
    named.push((name.clone(), schema));
    RefOr::Ref(utoipa::openapi::Ref::from_schema_name(name))
}

/// What travels in a body.
#[derive(Clone, Copy)]
pub enum Payload {
    Nothing,
    One(Shape),
    /// `results` and `paging`.
    Page(Shape),
    /// `results`, `paging` and `total`.
    CountedPage(Shape),
}

/// Type of a parameter's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Boolean,
    Time,
    Texts,
    Integers,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Any of these words.
    SomeOf(&'static [&'static str]),
}

/// A query parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

/// Largest body of an ordinary operation.
pub const BODY_LIMIT: usize = 256 << 10;

/// One operation: a line of the table.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Unique over all families; names the operation in documents, figures and tests.
    pub id: &'static str,
    pub family: Family,
    pub verb: Verb,
    /// Below the family's prefix.
    pub path: &'static str,
    pub scope: Scope,
    /// Most bytes of a body, inflated.
    pub body_limit: usize,
    pub door: Door,
    pub summary: &'static str,
    pub parameters: &'static [Parameter],
    pub request: Payload,
    /// Status and body of success.
    pub success: (u16, Payload),
    /// A batch, which may succeed in part: see [`Version::partial_status`].
    pub partial: bool,
}

impl Operation {
    const fn new(
        family: Family,
        scope: Scope,
        verb: Verb,
        path: &'static str,
        id: &'static str,
        door: Door,
    ) -> Self {
        Self {
            id,
            family,
            verb,
            path,
            scope,
            body_limit: BODY_LIMIT,
            door,
            summary: "",
            parameters: &[],
            request: Payload::Nothing,
            success: (200, Payload::Nothing),
            partial: false,
        }
    }

    /// An operation of the contract. Whatever is no GET needs the write scope unless [`Self::scope`] says otherwise.
    pub const fn conversations(verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        let scope = if matches!(verb, Verb::Get) { Scope::Read } else { Scope::Write };
        Self::new(Family::Conversations, scope, verb, path, id, door)
    }

    /// An operation of ours, for those who set up a portal unless [`Self::scope`] says otherwise.
    pub const fn own(verb: Verb, path: &'static str, id: &'static str, door: Door) -> Self {
        Self::new(Family::Own, Scope::Admin, verb, path, id, door)
    }

    pub const fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Most bytes of the body, where it is not [`BODY_LIMIT`].
    pub const fn limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// One line of documentation.
    pub const fn says(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// The query parameters.
    pub const fn asks(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    /// The body.
    pub const fn takes(mut self, shape: Shape) -> Self {
        self.request = Payload::One(shape);
        self
    }

    /// Status and body of success.
    pub const fn gives(mut self, status: u16, payload: Payload) -> Self {
        self.success = (status, payload);
        self
    }

    /// Says that it may succeed in part.
    pub const fn partly(mut self) -> Self {
        self.partial = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_version_has_no_207() {
        assert_eq!(Version::V3.partial_status(), 207);
        assert_eq!(Version::Beta2026_09.partial_status(), 207);
        assert_eq!(Version::V2026_09.partial_status(), 200);
    }
}
