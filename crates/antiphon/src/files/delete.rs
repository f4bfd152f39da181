//! Deleting a file, and erasing it: then its bytes go at once, and messages say only that there was something.

use antiphon_store::{Changes, File, FileKey, Millis, Moment, PortalId, Replacement, State, Target};
use antiphon_wire::attachment::Attachment;
use antiphon_wire::message as wire;
use antiphon_wire::timestamp::Timestamp;

use super::{file_id, place, sweep};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::events::kinds;
use crate::refusal::Refusal;

/// Messages that are looked up at a time.
const CHUNK: usize = 100;

/// `DELETE /files/{fileId}`
pub async fn delete(call: Call) -> Result<Answer, Refusal> {
    let (id, sent) = (file_id(&call)?, call.segment(0).to_owned());
    let rule = move |state: &State, moment: &mut Moment| archive(state, &sent, moment);
    call.app.store.change(call.caller.portal(), of(id), rule).await??;
    Ok(Answer::none())
}

/// `DELETE /files/{fileId}/gdpr-delete`
pub async fn erase(call: Call) -> Result<Answer, Refusal> {
    let (id, sent) = (file_id(&call)?, call.segment(0));
    erase_file(&call.app, call.caller.portal(), id, sent).await?;
    Ok(Answer::none())
}

/// Erases a file, which somebody calls so: its row says nothing any more, its bytes go, and messages no longer name it.
pub async fn erase_file(app: &App, portal: PortalId, id: i64, sent: &str) -> Result<(), Refusal> {
    let sent = sent.to_owned();
    let rule = move |state: &State, moment: &mut Moment| hide(state, &sent, moment);
    let applied = app.store.change(portal, of(id), rule).await??;
    let blob = applied.state.files.and_then(|found| found.file).and_then(|file| file.blob);
    if let Some(sha) = blob {
        sweep::erase(app, portal, Millis::MAX, Some(sha)).await.map_err(unfinished)?;
    }
    forget(app, portal, id).await?;
    Ok(())
}

/// What is left is found again by the sweep; who asked should ask again, and hears that it is gone.
fn unfinished(error: anyhow::Error) -> Refusal {
    tracing::warn!(error = format!("{error:#}"), "bytes could not be erased yet; the sweep goes on with it");
    Refusal::Unavailable
}

/// The target of a change of one file.
pub fn of(id: i64) -> Target {
    Target::File(Box::new(FileKey { file: Some(id), ..FileKey::default() }))
}

/// The rule of deleting.
pub fn archive(state: &State, sent: &str, moment: &mut Moment) -> Result<Changes, Refusal> {
    let file = state.files.as_ref().and_then(|found| found.file.clone());
    let file = file.filter(|file| file.archived_at.is_none() && file.erased_at.is_none());
    let file = file.ok_or_else(|| Refusal::not_found(sent))?;
    let events = vec![kinds::file_changed(file.id, moment.now)];
    Ok(Changes { files: vec![place::archived(file, moment.now)], events, ..Changes::default() })
}

/// The rule of erasing. What is left of the row says nothing; it goes once no message can name it any more.
fn hide(state: &State, sent: &str, moment: &mut Moment) -> Result<Changes, Refusal> {
    let file = state.files.as_ref().and_then(|found| found.file.clone());
    let file = file.filter(|file| file.erased_at.is_none()).ok_or_else(|| Refusal::not_found(sent))?;
    let events = vec![kinds::file_changed(file.id, moment.now)];
    let file = File {
        id: file.id,
        created_at: file.created_at,
        updated_at: moment.now,
        archived_at: Some(file.archived_at.unwrap_or(moment.now)),
        erased_at: Some(moment.now),
        ..File::default()
    };
    Ok(Changes { files: vec![file], events, ..Changes::default() })
}

/// Takes an erased file out of all messages that name it, one after the other. Harmless to repeat and to interrupt.
pub async fn forget(app: &App, portal: PortalId, file: i64) -> Result<u64, Refusal> {
    let (mut after, mut done) = (0, 0);
    loop {
        let page = app.store.file_mentions(portal, file, after, CHUNK).await?;
        let Some(last) = page.last() else { return Ok(done) };
        after = last.place;
        for mention in page {
            let rule =
                move |state: &State, moment: &mut Moment| Ok::<_, Refusal>(without(state, file, moment));
            let target = Target::Message(mention.thread, mention.message);
            let applied = app.store.change(portal, target, rule).await??;
            done += applied.changes.replaced.len() as u64;
        }
    }
}

/// The rule: a message without a file.
fn without(state: &State, file: i64, moment: &mut Moment) -> Changes {
    let mut changes = Changes::default();
    let (Some(thread), Some(stored)) = (&state.thread, &state.message) else { return changes };
    let Some(mut message) = wire::read(&stored.document.bytes) else { return changes };
    let (own, mut found) = (file.to_string(), false);
    for attachment in message.attachments.iter_mut().flatten() {
        let names = match attachment {
            Attachment::File { file_id, .. } => *file_id == own,
            Attachment::MessageHeader { file_id, .. } => *file_id == Some(file),
            _ => false,
        };
        if names {
            *attachment = Attachment::UnsupportedContent {};
            found = true;
        }
    }
    if found {
        message.updated_at = Some(Timestamp(moment.now.max(message.created_at.0)));
        let document = crate::messages::document(&message);
        changes.replaced.push(Replacement { thread_id: thread.id, message_id: stored.id, document });
        changes.events.push(kinds::entry_touched(thread.id, moment.now, stored.id, stored.kind));
    }
    changes
}
