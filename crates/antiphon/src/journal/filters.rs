//! Filters: which of the objects that a subscription is about are meant. They compare what an object has when its event is
//! written; several of a subscription are alternatives.

use std::collections::BTreeMap;

use antiphon_store::{
    AppId, Directory, DirectoryChange, JournalSubscription, Millis, Moment, SubscriptionId,
};
use antiphon_wire::error::Problem;
use antiphon_wire::journal::{self as wire, FilterType, Operator};
use serde::{Deserialize, Serialize};

use super::wanted::Known;
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::refusal::Refusal;
use crate::{changed, directory};

/// Most bytes of a subscription's filters, as they are kept.
const MOST: usize = 256 << 10;

/// A filter as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    pub id: i64,
    pub at: Millis,
    pub conditions: Vec<Condition>,
}

/// What must hold of a property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub property: String,
    pub operator: Operator,
    #[serde(default)]
    pub value: Option<String>,
    #[serde(default)]
    pub values: Vec<String>,
}

impl Filter {
    /// Whether all conditions hold of an object with these properties.
    pub fn holds(&self, of: &BTreeMap<String, String>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(of.get(&condition.property)))
    }

    fn shown(&self) -> wire::FilterResponse {
        let conditions = self.conditions.iter().map(|one| wire::Condition {
            filter_type: FilterType::Property,
            property: one.property.clone(),
            operator: one.operator,
            value: one.value.clone(),
            values: one.operator.lists().then(|| one.values.clone()),
        });
        wire::FilterResponse {
            id: self.id,
            created_at: self.at,
            filter: wire::Filter { conditions: conditions.collect() },
        }
    }
}

impl Condition {
    /// A property that an object does not have is empty: it equals nothing, and is neither more nor less.
    fn holds(&self, has: Option<&String>) -> bool {
        use Operator::*;
        let has = has.map(String::as_str).filter(|value| !value.is_empty());
        let value = self.value.as_deref().unwrap_or_default();
        let order = has.map(|has| compared(has, value));
        match self.operator {
            Eq => has == Some(value),
            NEq => has != Some(value),
            Lt => order.is_some_and(|order| order.is_lt()),
            Gt => order.is_some_and(|order| order.is_gt()),
            Lte => order.is_some_and(|order| order.is_le()),
            Gte => order.is_some_and(|order| order.is_ge()),
            Contains => has.is_some_and(|has| has.contains(value)),
            StartsWith => has.is_some_and(|has| has.starts_with(value)),
            EndsWith => has.is_some_and(|has| has.ends_with(value)),
            In => has.is_some_and(|has| self.values.iter().any(|value| value == has)),
            NotIn => !has.is_some_and(|has| self.values.iter().any(|value| value == has)),
            IsEmpty => has.is_none(),
            IsNotEmpty => has.is_some(),
        }
    }
}

/// Numbers by their size, all else by its text, which is right for moments.
fn compared(one: &str, other: &str) -> std::cmp::Ordering {
    let numbers = one.parse::<f64>().ok().zip(other.parse::<f64>().ok());
    numbers.and_then(|(one, other)| one.partial_cmp(&other)).unwrap_or_else(|| one.cmp(other))
}

/// `POST /filters`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let call = super::at_home(call).await?;
    let app = call.caller.app();
    let (subscription, conditions) = read(call.json()?)?;
    let rule = move |directory: &Directory, moment: &mut Moment| {
        let known = Known::read(super::subscriptions::row(directory, app, subscription)?)?;
        let filter =
            Filter { id: moment.subscription_id().0, at: moment.now, conditions: conditions.clone() };
        let mut filters = known.filters;
        filters.push(filter);
        with(&known.row, &filters)
    };
    let done = directory::change(&call, move |state, moment| {
        Ok(vec![DirectoryChange::JournalSubscription(rule(&state.directory, moment)?)])
    });
    let made = Known::read(&changed!(done.await?, JournalSubscription)?)?;
    let last = made.filters.last().ok_or_else(|| Refusal::Internal("no filter came of it".into()))?;
    Answer::json(200, &wire::FilterMade { filter_id: last.id })
}

/// `GET /filters/{filterId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let id = super::path_id(&call)?;
    let call = super::at_home(call).await?;
    let (_, filter) = found(&call.caller.directory, call.caller.app(), id)?;
    Answer::json(200, &filter.shown())
}

/// `GET /filters/subscription/{subscriptionId}`
pub async fn list(call: Call) -> Result<Answer, Refusal> {
    let id = SubscriptionId(super::path_id(&call)?);
    let call = super::at_home(call).await?;
    let row = super::subscriptions::row(&call.caller.directory, call.caller.app(), id)?;
    let shown: Vec<_> = Known::read(row)?.filters.iter().map(Filter::shown).collect();
    Answer::json(200, &shown)
}

/// `DELETE /filters/{filterId}`
pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let (app, id) = (call.caller.app(), super::path_id(&call)?);
    let call = super::at_home(call).await?;
    directory::change(&call, move |state, _| {
        let (known, _) = found(&state.directory, app, id)?;
        let left: Vec<_> = known.filters.into_iter().filter(|filter| filter.id != id).collect();
        Ok(vec![DirectoryChange::JournalSubscription(with(&known.row, &left)?)])
    })
    .await?;
    Ok(Answer::none())
}

fn read(body: wire::FilterCreate) -> Result<(SubscriptionId, Vec<Condition>), Refusal> {
    let mut checks = Checks::default();
    let subscription = checks.required_id("subscriptionId", body.subscription_id, i64::MAX);
    let sent = match body.filter {
        Some(filter) => filter.conditions,
        None => {
            checks.take::<()>(Err(Problem::required("filter")));
            Vec::new()
        }
    };
    if sent.is_empty() {
        checks.wrong("conditions", "A filter needs at least one condition");
    }
    let conditions: Vec<_> = sent.into_iter().filter_map(|one| condition(&mut checks, one)).collect();
    checks.done()?;
    Ok((SubscriptionId(subscription), conditions))
}

fn condition(checks: &mut Checks, sent: wire::ConditionRequest) -> Option<Condition> {
    if let Some(kind) = &sent.filter_type {
        checks.take(FilterType::read("filterType", kind));
    }
    let property = checks.required_name("property", sent.property);
    let operator = match &sent.operator {
        Some(operator) => checks.take(Operator::read("operator", operator)),
        None => checks.take(Err(Problem::required("operator"))),
    }?;
    let lacks = if operator.lists() {
        sent.values.is_empty().then_some("values")
    } else {
        (!operator.alone() && sent.value.is_none()).then_some("value")
    };
    if let Some(field) = lacks {
        checks.take::<()>(Err(Problem::required(field)));
    }
    let value = sent.value.filter(|_| !operator.lists() && !operator.alone());
    let values = if operator.lists() { sent.values } else { Vec::new() };
    Some(Condition { property, operator, value, values })
}

fn found(directory: &Directory, app: AppId, id: i64) -> Result<(Known, Filter), Refusal> {
    for known in Known::all(directory, app)? {
        if let Some(filter) = known.filters.iter().find(|filter| filter.id == id).cloned() {
            return Ok((known, filter));
        }
    }
    Err(Refusal::not_found(id))
}

fn with(row: &JournalSubscription, filters: &[Filter]) -> Result<JournalSubscription, Refusal> {
    let filters = serde_json::to_string(filters).map_err(|e| Refusal::Internal(e.to_string()))?;
    if filters.len() > MOST {
        return Err(Refusal::invalid("filter", "The filters of this subscription have become too large"));
    }
    Ok(JournalSubscription { filters, ..row.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_of_a_text_a_number_a_moment_and_nothing() {
        use Operator::*;
        let of: BTreeMap<String, String> =
            [("status", "OPEN"), ("count", "10"), ("at", "2026-03-01T08:00:00.000Z"), ("assignedTo", "")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        for (property, operator, values, holds) in [
            ("status", Eq, &["OPEN"][..], true),
            ("status", Eq, &["open"], false),
            ("status", NEq, &["CLOSED"], true),
            ("status", NEq, &["OPEN"], false),
            ("none", NEq, &["OPEN"], true),
            ("none", Eq, &[""], false),
            ("count", Lt, &["9"], false),
            ("count", Lt, &["11"], true),
            ("count", Gt, &["9"], true),
            ("count", Gt, &["10.0"], false),
            ("count", Gte, &["10.0"], true),
            ("count", Lte, &["9.99"], false),
            ("count", Lte, &["10"], true),
            ("at", Gt, &["2026-02-28"], true),
            ("at", Lt, &["2026-03-01T08:00:00.001Z"], true),
            ("none", Lt, &["9"], false),
            ("none", Gte, &[""], false),
            ("status", Contains, &["PE"], true),
            ("status", Contains, &["X"], false),
            ("status", StartsWith, &["OP"], true),
            ("status", StartsWith, &["EN"], false),
            ("status", EndsWith, &["EN"], true),
            ("status", EndsWith, &["OP"], false),
            ("none", Contains, &[""], false),
            ("status", In, &["OPEN", "CLOSED"], true),
            ("status", In, &["CLOSED"], false),
            ("status", NotIn, &["CLOSED"], true),
            ("status", NotIn, &["OPEN"], false),
            ("none", NotIn, &["OPEN"], true),
            ("assignedTo", IsEmpty, &[], true),
            ("status", IsEmpty, &[], false),
            ("status", IsNotEmpty, &[], true),
            ("none", IsNotEmpty, &[], false),
        ] {
            let condition = Condition {
                property: property.into(),
                operator,
                value: values.first().map(|value| (*value).to_owned()),
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            };
            let filter = Filter { id: 1, at: 1, conditions: vec![condition] };
            assert_eq!(filter.holds(&of), holds, "{property} {operator:?} {values:?}");
        }
    }

    #[test]
    fn conditions_are_whole() {
        for (condition, fine) in [
            (r#"{ "property": "status", "operator": "eq", "value": "OPEN" }"#, true),
            (
                r#"{ "filterType": "CRM_OBJECT_PROPERTY", "property": "status", "operator": "IS_EMPTY" }"#,
                true,
            ),
            (r#"{ "property": "status", "operator": "IN", "values": ["OPEN"] }"#, true),
            (r#"{ "property": "status", "operator": "IN", "value": "OPEN" }"#, false),
            (r#"{ "property": "status", "operator": "EQ" }"#, false),
            (r#"{ "property": "status", "operator": "LIKE", "value": "x" }"#, false),
            (r#"{ "property": "status" }"#, false),
            (r#"{ "operator": "EQ", "value": "OPEN" }"#, false),
            (r#"{ "filterType": "OTHER", "property": "status", "operator": "EQ", "value": "OPEN" }"#, false),
        ] {
            let body = format!(r#"{{ "subscriptionId": 1, "filter": {{ "conditions": [{condition}] }} }}"#);
            assert_eq!(read(serde_json::from_str(&body).unwrap()).is_ok(), fine, "{condition}");
        }
        for body in ["{}", r#"{ "subscriptionId": 1 }"#, r#"{ "subscriptionId": 1, "filter": {} }"#] {
            assert!(read(serde_json::from_str(body).unwrap()).is_err(), "{body}");
        }
    }
}
