//! Fetching a file from elsewhere. The way there is `outbound`'s: no address that is not everybody's, looked at again with every
//! redirect.

use std::time::Duration;

use antiphon_store::{FileTaskKind, PortalId};
use antiphon_wire::error::Problem;
use antiphon_wire::files::{DuplicateScope, DuplicateStrategy, FileAccess, ImportFromUrl};
use antiphon_wire::lenient::parse_body;
use http::header::{CONTENT_TYPE, LOCATION};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use url::Url;

use super::bytes::{Writing, Written};
use super::content::Content;
use super::place::Place;
use super::{access, tasks, upload};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::outbound::TargetUrl;
use crate::refusal::Refusal;

/// How often it may lead elsewhere.
const REDIRECTS: usize = 5;

/// `POST /import-from-url/async`
pub async fn begin(call: Call) -> Result<Answer, Refusal> {
    let body: ImportFromUrl = call.json()?;
    let mut problems = Vec::new();
    place(&body, &mut problems);
    upload::expiry(body.ttl.as_deref(), body.expires_at.map(|at| at.0), &call, &mut problems);
    if let Some(name) = &body.name {
        upload::called(Some(name), None, &mut problems);
    }
    match body.url.as_deref().map(str::trim).filter(|url| !url.is_empty()) {
        None => problems.push(Problem::required("url")),
        Some(url) => match TargetUrl::parse(url) {
            Err(why) => problems.push(Problem::new("url", why)),
            Ok(target) => {
                if let Err(failure) = call.app.outbound.check_address(&target) {
                    problems.push(Problem::new("url", failure.to_string()));
                }
            }
        },
    }
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    tasks::begin(&call, FileTaskKind::Import).await
}

fn place(body: &ImportFromUrl, problems: &mut Vec<Problem>) -> Place {
    Place::read(("folderId", body.folder_id.as_ref()), ("folderPath", body.folder_path.as_deref()), problems)
}

/// Fetches the file, and makes it one of ours; its id.
pub async fn run(app: &App, portal: PortalId, body: &str) -> Result<i64, Refusal> {
    let body: ImportFromUrl =
        parse_body(body.as_bytes()).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let mut problems = Vec::new();
    let place = place(&body, &mut problems);
    let expires_at = upload::expiry_at(
        body.ttl.as_deref(),
        body.expires_at.map(|at| at.0),
        app.store.now(),
        &mut problems,
    );
    let url = body.url.clone().unwrap_or_default();
    let (most, mut writing) = (Duration::from_secs(app.config.files.import_seconds), None);
    let fetched = tokio::time::timeout(most, fetch(app, portal, url.trim(), &mut writing)).await;
    let fetched = fetched.unwrap_or_else(|_| Err(wrong(format!("It took longer than {} s", most.as_secs()))));
    if let Some(writing) = writing {
        Writing::abort(writing).await;
    }
    let (written, media_type, last) = fetched?;
    let object = written.object.clone();
    let called = last.as_str().split(['?', '#']).next().unwrap_or_default();
    let called = percent_encoding::percent_decode_str(called.trim_end_matches('/')).decode_utf8_lossy();
    let (stem, extension) = upload::called(body.name.as_deref(), Some(&called), &mut problems);
    let made = match problems.is_empty() {
        false => Err(Refusal::Invalid(problems)),
        true => {
            let (head, kind, own) = (written.head.clone(), media_type, extension.clone());
            let content = app.kept.work(move || Content::of(kind.as_deref(), &own, None, &head)).await;
            let draft = upload::Draft {
                place,
                stem,
                extension,
                access: access(body.access.unwrap_or(FileAccess::Private)),
                overwrite: body.overwrite.unwrap_or_default(),
                strategy: body.duplicate_validation_strategy.unwrap_or(DuplicateStrategy::None),
                scope: body.duplicate_validation_scope.unwrap_or(DuplicateScope::EntirePortal),
                expires_at,
                content: content.map_err(|error| Refusal::Internal(error.to_string()))?,
                written,
                conversational: false,
            };
            upload::make(app, portal, draft).await
        }
    };
    if made.as_ref().is_err_and(|refusal| !matches!(refusal, Refusal::Unknown(_)))
        && let Err(error) = app.kept.erase(&object).await
    {
        tracing::debug!(error = format!("{error:#}"), "an object is left to the sweep");
    }
    made.map(|made| made.file.id)
}

fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::invalid("url", message)
}

async fn fetch(
    app: &App,
    portal: PortalId,
    url: &str,
    writing: &mut Option<Writing>,
) -> Result<(Written, Option<String>, TargetUrl), Refusal> {
    let mut target = TargetUrl::parse(url).map_err(wrong)?;
    for _ in 0..=REDIRECTS {
        let answer = app.outbound.fetch(&target).await.map_err(|failure| wrong(failure.to_string()))?;
        let status = answer.status();
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            let to = joined(target.as_str(), to);
            let to = to.map_err(|_| wrong("It leads elsewhere, and where that is cannot be read"))?;
            target = TargetUrl::parse(&to).map_err(wrong)?;
            continue;
        }
        if !status.is_success() {
            return Err(wrong(format!("There it was answered with status {}", status.as_u16())));
        }
        let media_type = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let media_type = media_type.map(str::to_owned);
        let written = take(app, portal, answer.into_body(), writing).await?;
        return Ok((written, media_type, target));
    }
    Err(wrong(format!("It leads elsewhere more than {REDIRECTS} times")))
}

async fn take(
    app: &App,
    portal: PortalId,
    mut body: Incoming,
    writing: &mut Option<Writing>,
) -> Result<Written, Refusal> {
    let most = app.config.files.max_bytes;
    let lost = |error: anyhow::Error| {
        tracing::error!(error = format!("{error:#}"), "a file cannot be kept");
        Refusal::Unavailable
    };
    if body.size_hint().lower() > most {
        return Err(Refusal::TooLarge(most));
    }
    let object = writing.insert(app.kept.write(portal));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| wrong("The connection ended before the file was complete"))?;
        let Ok(bytes) = frame.into_data() else { continue };
        if object.size() + bytes.len() as u64 > most {
            return Err(Refusal::TooLarge(most));
        }
        object.push(bytes).await.map_err(lost)?;
    }
    let whole = writing.take().ok_or_else(|| Refusal::Internal("nothing was written".into()))?;
    whole.finish().await.map_err(lost)
}

/// Where a redirect leads, seen from where it was said.
fn joined(from: &str, to: &str) -> Result<String, url::ParseError> {
    Ok(Url::parse(from)?.join(to)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_from_where_they_are_said() {
        for (to, expected) in [
            ("https://b.example/c", "https://b.example/c"),
            ("//b.example/c", "https://b.example/c"),
            ("/c", "https://a.example/c"),
            ("c", "https://a.example/x/c"),
            ("?q", "https://a.example/x/y?q"),
            ("/c?to=http://b.example", "https://a.example/c?to=http://b.example"),
            ("../c", "https://a.example/c"),
            ("../../../c/./d", "https://a.example/c/d"),
            ("a:b", "a:b"),
            ("./a:b", "https://a.example/x/a:b"),
            ("\\\\b.example\\c", "https://b.example/c"),
            ("c d", "https://a.example/x/c%20d"),
            ("#part", "https://a.example/x/y?z#part"),
            ("", "https://a.example/x/y?z"),
            ("file:///etc/passwd", "file:///etc/passwd"),
        ] {
            assert_eq!(joined("https://a.example/x/y?z", to).as_deref(), Ok(expected));
        }
        assert_eq!(joined("https://a.example", "c").as_deref(), Ok("https://a.example/c"));
        assert!(joined("https://a.example/x", "https://[::1").is_err());
    }
}
