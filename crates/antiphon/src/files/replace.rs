//! Other bytes for a file that stays what it is called and where it is.

use antiphon_store::{Access, Changes, File, FileKey, Millis, Moment, State, Target};
use antiphon_wire::error::Problem;

use super::bytes::Written;
use super::content::Content;
use super::form::{self, Form, Sent};
use super::{access, live, shown, upload};
use crate::call::{Answer, Call};
use crate::events::kinds;
use crate::refusal::Refusal;

#[derive(Debug, Clone)]
struct Draft {
    sent: String,
    access: Option<Access>,
    expires_at: Option<Millis>,
    content: Content,
    written: Written,
}

/// `PUT /files/{fileId}`
pub async fn replace(call: Call) -> Result<Answer, Refusal> {
    let file = live(&call).await?;
    let mut form = form::read(&call).await?;
    let sent = form.file.take().ok_or_else(|| Refusal::Invalid(vec![Problem::required("file")]))?;
    let object = sent.written.object.clone();
    let done = replaced(&call, file, &form, sent).await;
    match &done {
        Err(Refusal::Unknown(_)) | Ok((_, true)) => {}
        _ => upload::discard(&call, &object).await,
    }
    done.map(|(answer, _)| answer)
}

/// The answer, and whether the bytes are of use.
async fn replaced(call: &Call, file: File, form: &Form, sent: Sent) -> Result<(Answer, bool), Refusal> {
    let mut problems = Vec::new();
    let options = upload::options(form, &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let content = upload::judged(call, &sent, &file.extension, form.text("charsetHunch")).await?;
    let draft = Draft {
        sent: call.segment(0).to_owned(),
        access: options.access.map(access),
        expires_at: options.expires_at.map(|at| at.0),
        content,
        written: sent.written,
    };
    let key = FileKey { file: Some(file.id), blob: Some(draft.written.sha), ..FileKey::default() };
    let rule = move |state: &State, moment: &mut Moment| change(state, &draft, moment);
    let applied = call.app.store.change(call.caller.portal(), Target::File(Box::new(key)), rule).await??;
    let folders = applied.state.files.map(|found| found.folders).unwrap_or_default();
    let file = applied.changes.files.last();
    let file = file.ok_or_else(|| Refusal::Internal("no file came of it".into()))?;
    Ok((Answer::json(200, &shown(call, file, &folders))?, !applied.changes.blobs.is_empty()))
}

/// The rule.
fn change(state: &State, draft: &Draft, moment: &mut Moment) -> Result<Changes, Refusal> {
    let found = state.files.as_deref().ok_or_else(|| Refusal::Internal("no files were looked up".into()))?;
    let file = found.file.as_ref().filter(|file| file.is_live(moment.now));
    let file = file.ok_or_else(|| Refusal::not_found(&draft.sent))?;
    let file = File {
        url: String::new(),
        media_type: draft.content.media_type.clone(),
        encoding: draft.content.encoding.clone(),
        width: draft.content.width,
        height: draft.content.height,
        size: Some(draft.written.size),
        md5: Some(draft.written.md5.clone()),
        blob: Some(draft.written.sha),
        access: draft.access.unwrap_or(file.access),
        expires_at: draft.expires_at.or(file.expires_at),
        updated_at: moment.now,
        ..file.clone()
    };
    let events = vec![kinds::file_changed(file.id, moment.now)];
    let blobs = upload::new_blob(found, &draft.written).into_iter().collect();
    Ok(Changes { files: vec![file], blobs, events, ..Changes::default() })
}
