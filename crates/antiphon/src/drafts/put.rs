//! Keeping what an agent has begun to write, and throwing it away.

use antiphon_mail::text;
use antiphon_store::{Changes, DeskChange, DeskKey, MessageKind, Moment, State, StoredDraft, Target};
use antiphon_wire::answering::{DraftBody, DraftFile, DraftFileRequest, DraftPut};
use antiphon_wire::error::Problem;
use antiphon_wire::id::MAX_SAFE;
use antiphon_wire::message::MessageType;

use crate::actors::acting::{acting, actor, asking};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::messages::bodies::Bodies;
use crate::messages::post::{HTML_LIMIT, TEXT_LIMIT, too_long};
use crate::refusal::Refusal;
use crate::threads::lifecycle::preview;
use crate::threads::{found, path, thread_id};

/// Most drafts of an agent.
pub const MOST: usize = 200;

/// Most files that are to go with one, and most agents who are to be called.
const MOST_FILES: usize = 20;
const MOST_CALLED: usize = 20;

/// Longest id of an actor, in characters.
const LONGEST_ACTOR: usize = 20;

/// What was written. The target is [`Target::Desk`] of the agent, as writer.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The thread as the client named it.
    pub sent: String,
    pub agent: i64,
    pub kind: MessageKind,
    pub preview: String,
    pub body: String,
    /// Whether there is nothing in it.
    pub empty: bool,
}

/// `PUT /threads/{threadId}/draft`
pub async fn put(call: Call) -> Result<Answer, Refusal> {
    let thread = thread_id(&call)?;
    let keep = read(&call, call.json()?)?;
    let key = DeskKey { writer: Some(keep.agent), ..DeskKey::of(thread, actor(keep.agent)) };
    let rule = move |state: &State, moment: &mut Moment| keep_draft(state, &keep, moment);
    call.app.store.change(call.caller.portal(), Target::Desk(Box::new(key)), rule).await??;
    Ok(Answer::none())
}

/// `DELETE /threads/{threadId}/draft`
pub async fn discard(call: Call) -> Result<Answer, Refusal> {
    let thread = thread_id(&call)?;
    let agent = asking(&call).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let sent = path(&call, 0).to_owned();
    let rule = move |state: &State, _: &mut Moment| match &state.thread {
        None => Err(Refusal::not_found(&sent)),
        Some(thread) => {
            let desk = vec![DeskChange::DraftGone(thread.id, agent)];
            Ok(Changes { desk, ..Changes::default() })
        }
    };
    call.app.store.change(call.caller.portal(), Target::Thread(thread), rule).await??;
    Ok(Answer::none())
}

/// Reads a request.
fn read(call: &Call, request: DraftPut) -> Result<Keep, Refusal> {
    let mut checks = Checks::default();
    let agent = checks.take(acting(&call.caller, request.sender_actor_id.as_ref()));
    let kind = match request.kind.as_deref().map(MessageType::parse) {
        None | Some(Some(MessageType::Message)) => MessageKind::Message,
        Some(Some(MessageType::Comment)) => MessageKind::Comment,
        _ => {
            let sent = request.kind.as_deref().unwrap_or_default();
            checks.take::<()>(Err(Problem::not_one_of("type", sent, &["MESSAGE", "COMMENT"])));
            MessageKind::Message
        }
    };
    let mut problems = Vec::new();
    too_long(&mut problems, "text", request.text.as_deref(), TEXT_LIMIT);
    too_long(&mut problems, "richText", request.rich_text.as_deref(), HTML_LIMIT);
    checks.add(problems);
    if request.attachments.len() > MOST_FILES {
        checks.wrong("attachments", format!("A draft has at most {MOST_FILES} attachments"));
    }
    if request.mentions.len() > MOST_CALLED {
        checks.wrong("mentions", format!("A draft calls at most {MOST_CALLED} agents"));
    }
    let attachments: Vec<_> =
        request.attachments.into_iter().filter_map(|one| checks.take(file(one))).collect();
    let mentions: Vec<_> = request.mentions.into_iter().map(|id| id.0).collect();
    if mentions.iter().any(|id| id.chars().count() > LONGEST_ACTOR) {
        checks.wrong("mentions", "mentions are actor IDs");
    }
    checks.done()?;
    let (text, rich_text) = (request.text.unwrap_or_default(), request.rich_text.unwrap_or_default());
    let bodies = Bodies { text, rich_text };
    let empty = attachments.is_empty() && !bodies.is_visible();
    let Bodies { text, rich_text } = bodies;
    let plain = if text.trim().is_empty() { text::from_html(&rich_text) } else { text.clone() };
    let body = DraftBody { text, rich_text, attachments, mentions };
    let body = serde_json::to_string(&body).map_err(|e| Refusal::Internal(e.to_string()))?;
    let sent = path(call, 0).to_owned();
    Ok(Keep {
        sent,
        agent: agent.unwrap_or_default(),
        kind,
        preview: preview(&plain).unwrap_or_default(),
        body,
        empty,
    })
}

fn file(request: DraftFileRequest) -> Result<DraftFile, Problem> {
    const NAME: &str = "attachments";
    let id = request.file_id.ok_or_else(|| Problem::required("fileId"))?;
    if id.parse(MAX_SAFE).is_none() {
        return Err(Problem::new(NAME, format!("`{id}` is not the id of a file")));
    }
    let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.chars().count() > 1_000);
    if long(&request.name) || long(&request.media_type) {
        return Err(Problem::new(NAME, "The name or the type of a file is too long"));
    }
    let (name, size, media_type) = (request.name, request.size, request.media_type);
    Ok(DraftFile { file_id: id.0, name, size, media_type })
}

/// The rule. A draft with nothing in it is none.
pub fn keep_draft(state: &State, keep: &Keep, moment: &mut Moment) -> Result<Changes, Refusal> {
    let thread = found(state, false).ok_or_else(|| Refusal::not_found(&keep.sent))?;
    let change = if keep.empty {
        DeskChange::DraftGone(thread.id, keep.agent)
    } else if state.desk.as_deref().is_some_and(|desk| desk.drafts >= MOST) {
        let why =
            format!("An agent has at most {MOST} drafts; send or discard some of those that are older.");
        return Err(Refusal::Conflict(why));
    } else {
        DeskChange::Draft(StoredDraft {
            thread_id: thread.id,
            agent_id: keep.agent,
            kind: keep.kind,
            preview: keep.preview.clone(),
            body: keep.body.clone(),
            touched_at: moment.now,
        })
    };
    Ok(Changes { desk: vec![change], ..Changes::default() })
}

#[cfg(test)]
mod tests {
    use antiphon_store::Desk;

    use super::*;
    use crate::testing::{self, NOW, THREAD};

    fn keep(empty: bool) -> Keep {
        Keep {
            sent: "55".into(),
            agent: 71,
            kind: MessageKind::Comment,
            preview: "Hi".into(),
            body: "{}".into(),
            empty,
        }
    }

    fn with_drafts(drafts: usize) -> State {
        State { desk: Some(Box::new(Desk { drafts, ..Desk::default() })), ..testing::state() }
    }

    #[test]
    fn what_becomes_of_what_was_written() {
        let draft = DeskChange::Draft(StoredDraft {
            thread_id: THREAD,
            agent_id: 71,
            kind: MessageKind::Comment,
            preview: "Hi".into(),
            body: "{}".into(),
            touched_at: NOW,
        });
        for (drafts, empty, expected) in [
            (0, false, Some(draft.clone())),
            (MOST - 1, false, Some(draft)),
            (MOST, false, None),
            (MOST, true, Some(DeskChange::DraftGone(THREAD, 71))),
        ] {
            let done = keep_draft(&with_drafts(drafts), &keep(empty), &mut Moment::still(NOW));
            match expected {
                Some(change) => {
                    let changes = done.unwrap();
                    assert_eq!((changes.desk, changes.threads.len()), (vec![change], 0));
                }
                None => assert!(matches!(done, Err(Refusal::Conflict(_))), "{drafts} {empty}"),
            }
        }
        let mut gone = with_drafts(0);
        gone.thread.as_mut().unwrap().archived_at = Some(1);
        let refused = keep_draft(&gone, &keep(false), &mut Moment::still(NOW));
        assert_eq!(refused, Err(Refusal::not_found("55")));
    }
}
