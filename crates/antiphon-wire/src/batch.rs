//! Reading many at once, where some may not be found.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::actor::Actor;
use crate::error::{Category, Context};
use crate::lenient::{lenient, wire_enum};
use crate::timestamp::Timestamp;

/// Most inputs of one batch.
pub const MAX_INPUTS: usize = 1000;

lenient! {
    /// What to read.
    pub struct BatchRead {
        /// Ids. Absent is an error, empty is not.
        pub inputs: Option<Vec<String>> = "inputs",
    }
}

wire_enum! {
    /// How far a batch has come.
    pub enum BatchStatus {
        /// Everything was looked at.
        Complete = "COMPLETE",
        /// Some is still to be done.
        Processing = "PROCESSING",
        /// Nothing was begun.
        Pending = "PENDING",
        /// It was given up.
        Canceled = "CANCELED",
    }
}

/// What batches are of.
pub trait Batched {
    /// What such a batch is called in descriptions of the API.
    const NAME: &'static str;
    /// What several of them are called in messages.
    const MANY: &'static str;
}

impl Batched for Actor {
    const NAME: &'static str = "ActorBatch";
    const MANY: &'static str = "actors";
}

/// What became of a batch: answered with 200, or with 207 when something failed in a version that knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Batch<T> {
    /// Always complete.
    pub status: BatchStatus,
    /// What was found, in the order asked for.
    pub results: Vec<T>,
    /// When the request came.
    pub requested_at: Timestamp,
    /// When work began.
    pub started_at: Timestamp,
    /// When work ended.
    pub completed_at: Timestamp,
    /// How many errors there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub num_errors: Option<i32>,
    /// What failed, one entry per category.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<BatchError>,
}

/// What failed in a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BatchError {
    /// The literal `error`.
    pub status: &'static str,
    /// What happened, for machines.
    pub category: Category,
    /// What happened, for people.
    pub message: String,
    /// The ids it happened to.
    pub context: Context,
    /// Details.
    pub errors: Vec<crate::error::Problem>,
    /// Where to read more.
    pub links: BTreeMap<String, String>,
}

impl<T: Batched> Batch<T> {
    /// A batch that ran from `started` to `completed`, and the ids it could not resolve.
    pub fn new(results: Vec<T>, unresolved: Vec<String>, started: i64, completed: i64) -> Self {
        let errors: Vec<_> = BatchError::unresolved(T::MANY, unresolved).into_iter().collect();
        Self {
            status: BatchStatus::Complete,
            results,
            requested_at: Timestamp(started),
            started_at: Timestamp(started),
            completed_at: Timestamp(completed),
            num_errors: (!errors.is_empty()).then_some(errors.len() as i32),
            errors,
        }
    }
}

impl<T: Batched + ToSchema> Batch<T> {
    /// Describes it, and what it is of, under their names.
    pub fn describe(named: &mut Vec<(String, RefOr<Schema>)>) {
        Self::schemas(named);
        T::schemas(named);
        named.push((T::name().into_owned(), T::schema()));
        named.push((T::NAME.to_owned(), Self::schema()));
    }
}

impl BatchError {
    /// The ids of things that could not be found, if there are any.
    fn unresolved(what: &str, ids: Vec<String>) -> Option<Self> {
        (!ids.is_empty()).then(|| Self {
            status: "error",
            category: Category::ObjectNotFound,
            message: format!("Could not resolve some {what}"),
            context: Context::from([("id".to_owned(), ids)]),
            errors: Vec::new(),
            links: BTreeMap::new(),
        })
    }
}
