//! Files of visitors. One that is uploaded goes by itself after a day, unless it was sent; only who uploaded it can send it.

use std::time::Duration;

use antiphon_store::{Access, File, Millis};
use antiphon_wire::widget::WidgetFile;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::floods::{Payer, Rate, What};
use super::visit::Visit;
use crate::app::App;
use crate::call::{Answer, Call};
use crate::files::form::{self, Sent};
use crate::files::links::{self, Scaled};
use crate::files::place::Place;
use crate::files::upload::{self, Draft, called, judged};
use crate::keys::Purpose;
use crate::refusal::Refusal;

/// Most files that a visitor, and an address, sends at once, and how long one may take: as long as the widget waits.
const AT_ONCE: usize = 10;
const AT_ONCE_OF_ADDRESS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a file waits to be sent. So long before that it is not sent any more: it may be on its way out.
const WAITS: Millis = 24 * 60 * 60 * 1000;
const TOO_LATE: Millis = 60 * 60 * 1000;

/// What visitors may send. Whatever could run in a browser is not among it, and neither is what only runs.
const KINDS: [&str; 22] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/heic",
    "image/bmp",
    "image/tiff",
    "application/pdf",
    "text/plain",
    "text/csv",
    "text/markdown",
    "text/calendar",
    "application/rtf",
    "application/zip",
    "application/json",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
];

/// Endings of what runs by itself where it is opened, whatever it says it is.
const RUNS: [&str; 22] = [
    "exe", "dll", "com", "bat", "cmd", "msi", "scr", "ps1", "vbs", "js", "jse", "wsf", "hta", "jar", "sh",
    "app", "lnk", "html", "htm", "svg", "xhtml", "reg",
];

/// `POST /widget/v1/files`
pub async fn upload(call: Call) -> Result<Answer, Refusal> {
    let visit = Visit::of(&call).await?;
    if !visit.settings.attachments {
        return Err(Refusal::invalid("file", "This chat takes no files"));
    }
    let (app, limits) = (&call.app, &call.app.config.widget);
    let now = app.machine_time();
    app.floods.take(What::File, visit.payer(), Rate::hourly(limits.files_per_hour), now)?;
    // Whoever has used up what a visitor may send can be another visitor.
    let of_address = Rate::hourly(limits.files_per_hour_of_address);
    app.floods.take(What::File, Payer::address(call.heads.address), of_address, now)?;
    // However slowly visitors send: there is a place left for everybody else.
    let _place = app.floods.hold(
        What::File,
        &[
            (visit.payer(), AT_ONCE),
            (Payer::address(call.heads.address), AT_ONCE_OF_ADDRESS),
            (Payer::everybody(), app.config.files.uploads.div_ceil(2)),
        ],
    )?;
    let most = limits.max_file_bytes.min(app.config.files.max_bytes);
    let form = tokio::time::timeout(PATIENCE, form::read_at_most(&call, most)).await;
    let mut form = form.map_err(|_| Refusal::invalid("file", "The file took too long; try again"))??;
    let Some(sent) = form.file.take() else {
        return Err(Refusal::Invalid(vec![antiphon_wire::error::Problem::required("file")]));
    };
    let object = sent.written.object.clone();
    let made = match drafted(&call, sent).await {
        Ok(draft) => upload::keep(&call, draft).await,
        Err(refusal) => Err(refusal),
    };
    if matches!(&made, Err(refusal) if !matches!(refusal, Refusal::Unknown(_))) {
        upload::discard(&call, &object).await;
    }
    let file = made?.file;
    let expires = app.store.now() + links::LIFE;
    let answer = WidgetFile {
        file_id: named(app, &visit, file.id)?,
        url: links::signed(&call, &file, expires, Scaled::default()),
        name: file.name,
        size: file.size.unwrap_or_default(),
        media_type: file.media_type,
    };
    Answer::json(201, &answer)
}

async fn drafted(call: &Call, sent: Sent) -> Result<Draft, Refusal> {
    let mut problems = Vec::new();
    let (stem, extension) = called(None, sent.name.as_deref(), &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let content = judged(call, &sent, &extension, None).await?;
    if !may_be_sent(&content.media_type, &extension) {
        let why = format!("Files of type {} cannot be sent here", content.media_type);
        return Err(Refusal::invalid("file", why));
    }
    Ok(Draft {
        place: Place::default(),
        stem,
        extension,
        access: Access::Private,
        overwrite: false,
        strategy: antiphon_wire::files::DuplicateStrategy::None,
        scope: antiphon_wire::files::DuplicateScope::EntirePortal,
        expires_at: Some(call.app.store.now() + WAITS),
        content,
        written: sent.written,
        conversational: true,
    })
}

/// Whether a visitor may send this.
fn may_be_sent(media_type: &str, extension: &str) -> bool {
    let bare = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let heard = ["audio/", "video/"].iter().any(|kind| bare.starts_with(kind));
    (heard || KINDS.contains(&bare.as_str())) && !RUNS.contains(&extension.to_ascii_lowercase().as_str())
}

/// By what a visitor sends a file: the file, and a proof that it is theirs.
fn named(app: &App, visit: &Visit, file: i64) -> Result<String, Refusal> {
    let signature = app.keys.sign(Purpose::VisitorFile, &owned(visit, file))?;
    Ok(URL_SAFE_NO_PAD
        .encode([&signature.key.to_be_bytes()[..], &file.to_be_bytes(), &signature.mac].concat()))
}

/// What is signed: whose file it is.
fn owned(visit: &Visit, file: i64) -> Vec<u8> {
    let session = &visit.session;
    format!("{} {} {file} {}", session.portal(), session.account(), session.payer()).into_bytes()
}

/// The file that a name names, if it is this visitor's.
fn read(app: &App, visit: &Visit, name: &str) -> Option<i64> {
    if name.len() > 100 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(name).ok()?;
    let (key, rest) = bytes.split_first_chunk::<8>()?;
    let (file, mac) = rest.split_first_chunk::<8>()?;
    let file = i64::from_be_bytes(*file);
    app.keys.verify(Purpose::VisitorFile, &owned(visit, file), i64::from_be_bytes(*key), mac).then_some(file)
}

/// The files that a visitor sends.
///
/// # Errors
/// One of them is not theirs, or has gone.
pub async fn theirs(app: &App, visit: &Visit, names: &[String]) -> Result<Vec<File>, Refusal> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let gone = || Refusal::invalid("attachments", "That file is not here; upload it again");
    if !visit.settings.attachments {
        return Err(Refusal::invalid("attachments", "This chat takes no files"));
    }
    let ids: Option<Vec<i64>> = names.iter().map(|name| read(app, visit, name)).collect();
    let ids = ids.ok_or_else(gone)?;
    let (portal, now) = (visit.session.portal(), app.store.now());
    let mut found = app.store.files_by_ids(portal, &ids).await?;
    found.retain(|file| file.is_live(now) && file.expires_at.is_none_or(|at| now + TOO_LATE < at));
    let mut files: Vec<File> = Vec::with_capacity(ids.len());
    for id in ids {
        let file = found.iter().find(|file| file.id == id).ok_or_else(gone)?;
        if files.iter().any(|file| file.id == id) {
            continue;
        }
        let url = if file.url.is_empty() { links::path(portal, file) } else { file.url.clone() };
        files.push(File { url, ..file.clone() });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_sent() {
        for (media_type, extension, fine) in [
            ("image/png", "png", true),
            ("Image/PNG; x=1", "png", true),
            ("application/pdf", "pdf", true),
            ("audio/ogg", "ogg", true),
            ("text/plain", "txt", true),
            ("image/svg+xml", "svg", false),
            ("text/html", "html", false),
            ("application/octet-stream", "bin", false),
            ("text/plain", "EXE", false),
            ("text/plain", "html", false),
            ("application/x-msdownload", "exe", false),
            ("text/javascript", "js", false),
            ("", "", false),
        ] {
            assert_eq!(may_be_sent(media_type, extension), fine, "{media_type} {extension}");
        }
    }
}
