//! Switching many subscriptions on or off.

use std::collections::HashSet;

use antiphon_store::{DirectoryChange, State};
use antiphon_wire::batch::{Batch, MAX_INPUTS};
use antiphon_wire::error::Problem;
use antiphon_wire::webhooks::SubscriptionBatchUpdate;

use super::subscriptions::{Edit, edited, named, position, shown};
use crate::call::{Answer, Call};
use crate::directory;
use crate::operation::Family;
use crate::refusal::Refusal;

/// Most subscriptions that are changed in one transaction, of which none takes more than a few hundred rows.
const AT_ONCE: usize = 250;

/// `POST /{appId}/subscriptions/batch/update`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    let started = call.app.store.now();
    let app = call.caller.app();
    let inputs = inputs(call.json()?)?;
    let since = position(&call).await?;
    for some in inputs.chunks(AT_ONCE) {
        let some = some.to_vec();
        directory::change(&call, move |state: &State, moment| {
            let known = some.iter().filter_map(|(sent, active)| {
                let known = named(&state.directory, app, sent).ok()?;
                Some(edited(known, &Edit { active: Some(*active), ..Edit::default() }, since, moment.now))
            });
            Ok(known.map(DirectoryChange::Subscription).collect())
        })
        .await?;
    }
    let directory = directory::now(&call).await?;
    let (mut results, mut unknown) = (Vec::new(), Vec::new());
    for (sent, _) in inputs {
        match named(&directory, app, &sent) {
            Ok(one) => results.push(shown(one)),
            Err(_) => unknown.push(sent),
        }
    }
    let status = if unknown.is_empty() { 200 } else { Family::Webhooks.partial_status(call.version) };
    Answer::json(status, &Batch::new(results, unknown, started, call.app.store.now()))
}

/// What each is to become, in the order asked for. Of several wishes for one the last counts.
fn inputs(body: SubscriptionBatchUpdate) -> Result<Vec<(String, bool)>, Refusal> {
    let sent = body.inputs.ok_or_else(|| Refusal::Invalid(vec![Problem::required("inputs")]))?;
    if sent.len() > MAX_INPUTS {
        return Err(Refusal::invalid(
            "inputs",
            format!("At most {MAX_INPUTS} inputs may be updated at once"),
        ));
    }
    let (mut inputs, mut problems) = (Vec::with_capacity(sent.len()), Vec::new());
    for (at, one) in sent.into_iter().enumerate() {
        match (one.id, one.active) {
            (Some(id), Some(active)) => inputs.push((id.as_str().trim().to_owned(), active)),
            (id, active) => {
                let missing = [("id", id.is_none()), ("active", active.is_none())];
                let missing = missing.into_iter().filter(|(_, missing)| *missing);
                problems.extend(missing.map(|(name, _)| Problem::required(&format!("inputs[{at}].{name}"))));
            }
        }
    }
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let mut seen = HashSet::new();
    inputs.reverse();
    inputs.retain(|(id, _)| seen.insert(id.clone()));
    inputs.reverse();
    Ok(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn read(body: &str) -> Result<Vec<(String, bool)>, Refusal> {
        inputs(serde_json::from_str(body).unwrap())
    }

    #[test]
    fn the_last_wish_counts() {
        let body = r#"{ "inputs": [{ "id": 1, "active": true }, { "id": "2", "active": true }, { "id": 1, "active": false }] }"#;
        assert_eq!(read(body).unwrap(), [("2".to_owned(), true), ("1".to_owned(), false)]);
        assert_eq!(read(r#"{ "inputs": [] }"#).unwrap(), []);
    }

    #[test]
    fn what_is_missing_is_named() {
        let fields = |body| read(body).as_ref().err().map(testing::named).unwrap_or_default().join(" ");
        assert_eq!(fields("{}"), "inputs");
        assert_eq!(
            fields(r#"{ "inputs": [{ "active": true }, { "id": 1, "active": true }, { "id": 2 }] }"#),
            "inputs[0].id inputs[2].active"
        );
    }
}
