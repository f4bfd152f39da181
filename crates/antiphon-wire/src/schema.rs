//! Pieces of the OpenAPI description that are written by hand: unions told apart by their `type`, with exact lists of what
//! each kind has.

use utoipa::ToSchema;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, Discriminator, ObjectBuilder, OneOfBuilder, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};

/// A list of named schemas, as utoipa collects them.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// A string, to be narrowed.
pub(crate) fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A number of a type, to be narrowed.
pub(crate) fn number(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}

/// A reference to a named schema.
pub fn reference<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}

/// A list of a named schema.
pub fn list<T: ToSchema>() -> RefOr<Schema> {
    ArrayBuilder::new().items(reference::<T>()).into()
}

/// Collects a named schema and everything it refers to.
pub fn collect<T: ToSchema>(schemas: &mut Schemas) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// A page of results: `total` where the list has one, `paging` only when there is more.
pub fn page<T: ToSchema>(total: bool) -> RefOr<Schema> {
    let mut page = ObjectBuilder::new().property("results", list::<T>()).required("results");
    if total {
        page = page.property("total", number(Type::Integer).minimum(Some(0))).required("total");
    }
    page.property("paging", reference::<crate::page::Paging>()).additional_properties(Some(never())).into()
}

/// Collects what [`page`] refers to.
pub fn collect_page<T: ToSchema>(schemas: &mut Schemas) {
    collect::<T>(schemas);
    collect::<crate::page::Paging>(schemas);
}

/// One kind of a union: the value of its `type`, the name of its schema, and its members besides `type`.
pub(crate) struct Kind {
    pub tag: &'static str,
    pub name: &'static str,
    pub members: Vec<Member>,
}

/// A member of a kind: its key, whether it is always there, and its schema.
pub(crate) type Member = (&'static str, bool, RefOr<Schema>);

impl Kind {
    /// The kind's own schema. It has these members and no others.
    pub(crate) fn schema(self) -> (String, RefOr<Schema>) {
        let object =
            ObjectBuilder::new().property("type", string().enum_values(Some([self.tag]))).required("type");
        let object = self.members.into_iter().fold(object, |object, (key, required, schema)| {
            let object = object.property(key, schema);
            if required { object.required(key) } else { object }
        });
        (self.name.to_owned(), object.additional_properties(Some(never())).into())
    }
}

/// A union of kinds, told apart by `type`.
pub(crate) fn union(kinds: &[Kind]) -> RefOr<Schema> {
    let path = |kind: &Kind| format!("#/components/schemas/{}", kind.name);
    let mapping: Vec<_> = kinds.iter().map(|kind| (kind.tag.to_owned(), path(kind))).collect();
    let union = OneOfBuilder::new().discriminator(Some(Discriminator::with_mapping("type", mapping)));
    kinds.iter().fold(union, |union, kind| union.item(Ref::from_schema_name(kind.name))).into()
}

fn never() -> AdditionalProperties<Schema> {
    AdditionalProperties::FreeForm(false)
}
