//! The bytes of a file, for whoever may have them: by an address that is open to all, by one that carries a proof, or by a token.
//! Whatever was uploaded, a browser shows it in a sandbox of its own, or saves it.

use antiphon_store::File;
use antiphon_store::PortalId;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::content::{self, is_shown};
use super::links::{self, Proof, Scaled};
use super::live;
use crate::call::{Answer, Call, Conditions};
use crate::middleware::outflow::Outflow;
use crate::refusal::Refusal;

/// Larger pictures are not scaled.
const SCALABLE: i64 = 32 << 20;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// What was uploaded can neither run nor fetch.
const SANDBOX: &str =
    "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'";

/// `GET /{portalId}/{fileId}/{name}`
pub async fn public(call: Call) -> Result<Answer, Refusal> {
    let nothing = || Refusal::not_found(call.segment(1));
    let id = |index| parse_path_id(call.segment(index), MAX_SAFE);
    let (portal, file) = id(0).zip(id(1)).ok_or_else(nothing)?;
    let proof = links::proof(&call.app, portal, file, &call.query);
    let store = &call.app.store;
    let portal = PortalId(portal);
    store.directory(portal).await?.ok_or_else(nothing)?;
    let found = store.files_by_ids(portal, &[file]).await?.pop();
    let file = found.filter(|file| file.is_live(store.now())).ok_or_else(nothing)?;
    let scaled = match proof {
        Proof::Good(scaled) => scaled,
        _ if file.access.is_public() => Scaled::default(),
        Proof::Expired => return Err(Refusal::Forbidden),
        Proof::None => return Err(nothing()),
    };
    let mut answer = bytes(&call, portal, &file, scaled, false).await?;
    if !file.access.is_indexable() {
        answer.headers.push((ROBOTS, HeaderValue::from_static("noindex")));
    }
    let keep = if file.access.is_public() { "no-cache" } else { "private, no-cache" };
    answer.headers.push((CACHE_CONTROL, HeaderValue::from_static(keep)));
    Ok(answer)
}

/// `GET /files/{fileId}/download`
pub async fn download(call: Call) -> Result<Answer, Refusal> {
    let file = live(&call).await?;
    bytes(&call, call.caller.portal(), &file, Scaled::default(), true).await
}

async fn bytes(
    call: &Call,
    portal: PortalId,
    file: &File,
    scaled: Scaled,
    save: bool,
) -> Result<Answer, Refusal> {
    let nothing = || Refusal::not_found(file.id);
    let sha = file.blob.ok_or_else(nothing)?;
    let blob = call.app.store.blob_by_sha(portal, &sha).await?.ok_or_else(nothing)?;
    let mut etag: String = sha.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let small = match scaled.size {
        Some(_) => small(call, file, &blob.object, scaled).await?,
        None => None,
    };
    let (media_type, length) = match &small {
        Some(small) => {
            etag.extend(["-", scaled.size.map_or("", |size| size.as_str())]);
            (content::scaled_type(small), small.len() as u64)
        }
        None => (file.media_type.as_str(), blob.size.unsigned_abs()),
    };
    let etag = format!("\"{etag}\"");
    let mut headers = vec![
        (CONTENT_TYPE, value(&typed(media_type))),
        (ETAG, value(&etag)),
        (ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX)),
        (CONTENT_DISPOSITION, value(&disposition(&file.name, !save && is_shown(media_type)))),
    ];
    let (status, range) = match asked(&call.conditions, &etag, length) {
        Part::Unchanged => {
            return Ok(Answer { status: 304, headers, bare: true, ..Answer::default() });
        }
        Part::None => {
            headers.push((CONTENT_RANGE, value(&format!("bytes */{length}"))));
            headers.push((CONTENT_LENGTH, HeaderValue::from_static("0")));
            return Ok(Answer { status: 416, headers, bare: true, ..Answer::default() });
        }
        Part::Whole => (200, None),
        Part::Range(from, to) => {
            headers.push((CONTENT_RANGE, value(&format!("bytes {from}-{}/{length}", to - 1))));
            (206, Some(from..to))
        }
    };
    let sent = range.as_ref().map_or(length, |range| range.end - range.start);
    headers.push((CONTENT_LENGTH, HeaderValue::from(sent)));
    let body = match small {
        Some(small) => {
            let range = range.map_or(0..small.len(), |range| range.start as usize..range.end as usize);
            Outflow::Whole(small.slice(range))
        }
        None if sent == 0 => Outflow::default(),
        None => {
            let pieces = call.app.kept.read(&blob.object, range).await;
            let pieces = pieces.map_err(|error| {
                tracing::error!(error = format!("{error:#}"), "the bytes of a file cannot be read");
                Refusal::Unavailable
            })?;
            let pieces = pieces.ok_or_else(|| {
                tracing::error!(
                    file = file.id,
                    "the bytes of a file are missing; `antiphon doctor` says more"
                );
                nothing()
            })?;
            // A body that ends too early is noticed: its length was said.
            Outflow::File(Box::pin(
                pieces
                    .take_while(|piece| std::future::ready(piece.is_ok()))
                    .filter_map(|piece| std::future::ready(piece.ok())),
            ))
        }
    };
    Ok(Answer { status, body, headers, bare: true, ..Answer::default() })
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn typed(media_type: &str) -> String {
    match media_type.starts_with("text/") {
        true => format!("{media_type}; charset=utf-8"),
        false => media_type.to_owned(),
    }
}

/// How a browser is to treat it, and under which name it saves it.
fn disposition(name: &str, shown: bool) -> String {
    let plain: String = name
        .chars()
        .map(|c| if (c.is_ascii_graphic() || c == ' ') && !"\"\\%".contains(c) { c } else { '_' })
        .collect();
    let how = if shown { "inline" } else { "attachment" };
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Unchanged,
    /// From here on, before there.
    Range(u64, u64),
    None,
}

/// Several ranges at once are answered with everything, as a server may.
fn asked(conditions: &Conditions, etag: &str, length: u64) -> Part {
    if conditions.knows(etag) {
        return Part::Unchanged;
    }
    if conditions.if_range.as_deref().is_some_and(|known| known != etag) {
        return Part::Whole;
    }
    let Some(range) = conditions.range.as_deref().and_then(|range| range.trim().strip_prefix("bytes="))
    else {
        return Part::Whole;
    };
    let Some((from, to)) = range.trim().split_once('-').filter(|_| !range.contains(',')) else {
        return Part::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>();
    match (from.trim().is_empty(), number(from), to.trim().is_empty(), number(to)) {
        (true, _, false, Ok(0)) => Part::None,
        (true, _, false, Ok(_)) if length == 0 => Part::None,
        (true, _, false, Ok(last)) => Part::Range(length.saturating_sub(last), length),
        (false, Ok(from), true, _) if from < length => Part::Range(from, length),
        (false, Ok(from), false, Ok(to)) if from <= to && from < length => {
            Part::Range(from, to.saturating_add(1).min(length))
        }
        (false, Ok(from), _, _) if from >= length => Part::None,
        _ => Part::Whole,
    }
}

/// The picture, scaled: as it was made before, or made now. `None` when it is not to be scaled, or cannot be.
async fn small(call: &Call, file: &File, object: &str, scaled: Scaled) -> Result<Option<Bytes>, Refusal> {
    let Some(size) = scaled.size else { return Ok(None) };
    if file.width.is_none() || file.size.is_none_or(|bytes| bytes > SCALABLE) {
        return Ok(None);
    }
    let kept = &call.app.kept;
    let lost = |error: anyhow::Error| {
        tracing::error!(error = format!("{error:#}"), "a picture cannot be scaled");
        Refusal::Unavailable
    };
    let name = derived(object, size.as_str(), scaled.upscale);
    if let Some(made) = kept.whole(&name).await.map_err(lost)? {
        return Ok(Some(made));
    }
    let Some(original) = kept.whole(object).await.map_err(lost)? else { return Ok(None) };
    let (longest, upscale) = (size.pixels(), scaled.upscale);
    let made = kept.work(move || content::scaled(&original, longest, upscale)).await.map_err(lost)?;
    let Some(made) = made.map(Bytes::from) else { return Ok(None) };
    // Made again if it cannot be kept.
    if let Err(error) = kept.put(&name, made.clone()).await {
        tracing::warn!(error = format!("{error:#}"), "a scaled picture cannot be kept");
    }
    Ok(Some(made))
}

/// What a scaled picture is called where bytes are kept.
fn derived(object: &str, size: &str, upscale: bool) -> String {
    format!("{object}.{size}{}", if upscale { "-up" } else { "" })
}

/// Every name that a scaled picture of these bytes may have.
pub fn all_derived(object: &str) -> impl Iterator<Item = String> + '_ {
    let sizes = antiphon_wire::files::ImageSize::ALL.iter();
    sizes.flat_map(move |size| [false, true].map(|upscale| derived(object, size.as_str(), upscale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_what_was_asked_for() {
        let part = |range: &str| {
            let conditions = Conditions { range: Some(range.into()), ..Conditions::default() };
            asked(&conditions, "\"a\"", 10)
        };
        for (range, expected) in [
            ("bytes=0-3", Part::Range(0, 4)),
            ("bytes=4-", Part::Range(4, 10)),
            ("bytes=-3", Part::Range(7, 10)),
            ("bytes=-30", Part::Range(0, 10)),
            ("bytes=9-99", Part::Range(9, 10)),
            ("bytes=10-", Part::None),
            ("bytes=-0", Part::None),
            ("bytes=5-4", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("lines=0-1", Part::Whole),
            ("bytes=x-1", Part::Whole),
            ("bytes=18446744073709551615-", Part::None),
            ("bytes=0-18446744073709551615", Part::Range(0, 10)),
        ] {
            assert_eq!(part(range), expected, "{range}");
        }
        let conditions = |if_none_match: Option<&str>, if_range: Option<&str>| Conditions {
            range: Some("bytes=0-3".into()),
            if_none_match: if_none_match.map(Into::into),
            if_range: if_range.map(Into::into),
        };
        assert_eq!(asked(&conditions(Some("W/\"a\", \"b\""), None), "\"a\"", 10), Part::Unchanged);
        assert_eq!(asked(&conditions(None, Some("\"b\"")), "\"a\"", 10), Part::Whole);
        assert_eq!(asked(&conditions(Some("\"b\""), Some("\"a\"")), "\"a\"", 10), Part::Range(0, 4));
    }

    #[test]
    fn names_stay_inside_of_their_header() {
        assert_eq!(disposition("a.png", true), "inline; filename=\"a.png\"; filename*=UTF-8''a%2Epng");
        let odd = disposition("x\"; filename=evil\r\nSet-Cookie: a\u{2603}", false);
        assert!(odd.starts_with("attachment; filename=\"x_; filename=evil__Set-Cookie: a_\"; "), "{odd}");
        assert!(odd.bytes().all(|c| (0x20..0x7f).contains(&c)));
    }
}
