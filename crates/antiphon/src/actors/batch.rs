//! Many actors at once.

use std::collections::HashSet;

use antiphon_wire::actor::ActorId;
use antiphon_wire::batch::{Batch, BatchRead, MAX_INPUTS};
use antiphon_wire::error::Problem;

use crate::call::{Answer, Call};
use crate::operation::Family;
use crate::refusal::Refusal;

/// `POST /actors/batch/read`
pub async fn read(call: Call) -> Result<Answer, Refusal> {
    let started = call.app.store.now();
    let inputs = inputs(call.json()?)?;
    let known: Vec<_> = inputs.iter().filter_map(|sent| ActorId::parse(sent).ok()).collect();
    let caller = &call.caller;
    let found = super::resolve(&call.app.store, caller.portal(), &caller.directory, &known).await?;
    let mut found = found.into_iter();
    let (mut results, mut unresolved) = (Vec::new(), Vec::new());
    for sent in inputs {
        let actor = if ActorId::parse(&sent).is_ok() { found.next().flatten() } else { None };
        match actor {
            Some(actor) => results.push(actor),
            None => unresolved.push(sent),
        }
    }
    let status = if unresolved.is_empty() { 200 } else { Family::Conversations.partial_status(call.version) };
    Answer::json(status, &Batch::new(results, unresolved, started, call.app.store.now()))
}

/// The ids asked for, each once, in the order asked for.
fn inputs(body: BatchRead) -> Result<Vec<String>, Refusal> {
    let mut inputs = body.inputs.ok_or_else(|| Refusal::Invalid(vec![Problem::required("inputs")]))?;
    if inputs.len() > MAX_INPUTS {
        return Err(Refusal::invalid("inputs", format!("At most {MAX_INPUTS} inputs may be read at once")));
    }
    let mut seen = HashSet::new();
    inputs.retain(|id| seen.insert(id.clone()));
    Ok(inputs)
}
