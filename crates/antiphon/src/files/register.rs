//! Making a file known that is hosted elsewhere.

use antiphon_store::{Changes, File, Moment, State, Target};
use antiphon_wire::error::Problem;
use antiphon_wire::id::Id;
use antiphon_wire::own::{self, FileCreate};
use antiphon_wire::timestamp::Timestamp;

use crate::audit::{Doer, On};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::events::kinds;
use crate::refusal::Refusal;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    pub name: String,
    pub url: String,
    pub media_type: String,
    pub size: Option<i64>,
}

/// `POST /files`
pub async fn register(call: Call) -> Result<Answer, Refusal> {
    let draft = read(call.json()?)?;
    let by = Doer::of(&call);
    let rule = move |_: &State, moment: &mut Moment| {
        let mut changes = make(&draft, moment);
        let made = changes.files.iter().map(|file| by.acted(&On::one("FILE", file.id), moment.now));
        changes.audit.extend(made);
        Ok::<_, Refusal>(changes)
    };
    let applied = call.app.store.change(call.caller.portal(), Target::Directory, rule).await??;
    let made = applied.changes.files.first();
    let made = made.ok_or_else(|| Refusal::Internal("no file came of it".into()))?;
    Answer::json(201, &shown(&call, made)).map(|answer| answer.at(&call, made.id))
}

/// `GET /files/{fileId}`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let file = super::live(&call).await?;
    Answer::json(200, &shown(&call, &file))
}

fn shown(call: &Call, file: &File) -> own::File {
    let url = match file.url.is_empty() {
        true => format!("{}{}", call.origin, super::links::path(call.caller.portal(), file)),
        false => file.url.clone(),
    };
    own::File {
        id: Id(file.id),
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        size: file.size,
        url,
        created_at: Timestamp(file.created_at),
    }
}

fn read(body: FileCreate) -> Result<Draft, Refusal> {
    let mut checks = Checks::default();
    let name = checks.required_name("name", body.name);
    let sent = body.url.ok_or_else(|| Problem::required("url"));
    let url = checks.take(sent).and_then(|url| checks.url("url", Some(url)));
    let media_type = body.media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    if !media_type.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty()) {
        checks.wrong("mediaType", format!("`{media_type}` is not a media type, such as image/png"));
    }
    if body.size.is_some_and(|size| size < 0) {
        checks.wrong("size", "A file has no negative size");
    }
    checks.done()?;
    Ok(Draft { name, url: url.unwrap_or_default(), media_type, size: body.size })
}

/// The rule.
pub fn make(draft: &Draft, moment: &mut Moment) -> Changes {
    let file = File {
        id: moment.file_id(),
        name: draft.name.clone(),
        media_type: draft.media_type.clone(),
        size: draft.size,
        url: draft.url.clone(),
        created_at: moment.now,
        updated_at: moment.now,
        ..File::default()
    };
    let events = vec![kinds::file_changed(file.id, moment.now)];
    Changes { files: vec![file], events, ..Changes::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told_at_once() {
        let body =
            serde_json::from_str(r#"{ "url": "invoice.pdf", "mediaType": "pdf", "size": -1 }"#).unwrap();
        let Err(Refusal::Invalid(problems)) = read(body) else { panic!() };
        let fields: Vec<_> = problems.iter().filter_map(|problem| problem.in_.as_deref()).collect();
        assert_eq!(fields, ["name", "url", "mediaType", "size"]);
    }
}
