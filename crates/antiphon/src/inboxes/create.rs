//! Making an inbox.

use antiphon_store::{DirectoryChange, Inbox, InboxKind, Moment};
use antiphon_wire::inbox::InboxType;
use antiphon_wire::own::InboxCreate;

use crate::call::{Answer, Call};
use crate::changed;
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub name: String,
    pub kind: InboxKind,
    pub assign_on_reply: bool,
}

/// `POST /inboxes`
pub async fn create(call: Call) -> Result<Answer, Refusal> {
    let draft = read(call.json()?)?;
    let changes =
        directory::change(&call, move |_, moment| Ok(vec![DirectoryChange::Inbox(make(&draft, moment))]));
    let inbox = changed!(changes.await?, Inbox)?;
    Answer::json(201, &super::settings(&inbox)).map(|answer| answer.at(&call, inbox.id))
}

fn read(body: InboxCreate) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let name = checks.required_name("name", body.name);
    let kind = checks.take(body.kind.map_or(Ok(InboxType::Inbox), |kind| InboxType::read("type", &kind)));
    checks.done()?;
    let kind = super::kind_stored(kind.unwrap_or(InboxType::Inbox));
    Ok(Draft { name, kind, assign_on_reply: body.assign_on_reply.unwrap_or(true) })
}

/// The rule.
pub fn make(draft: &Draft, moment: &mut Moment) -> Inbox {
    Inbox {
        id: moment.inbox_id(),
        name: draft.name.clone(),
        kind: draft.kind,
        assign_on_reply: draft.assign_on_reply,
        created_at: moment.now,
        updated_at: moment.now,
        archived_at: None,
    }
}
