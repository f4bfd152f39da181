//! A file as an answer: packed as the client takes it, and kept by it as long as its name allows.

use http::HeaderMap;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, VARY,
    X_CONTENT_TYPE_OPTIONS,
};

use rust_embed::EmbeddedFile;

use super::built::{self, Built};
use crate::call::Conditions;
use crate::middleware::gzip;
use crate::middleware::outflow::Outflow;
use crate::middleware::reply::Reply;

/// Twins that the build leaves beside a file, the smallest first: how they are packed, and how they are called.
const TWINS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_EACH_TIME: &str = "no-cache";

/// A file of a package, or nothing where there is none of this name. The headers come on top.
pub fn file(
    built: Built,
    path: &str,
    asked: &HeaderMap,
    headers: &[(HeaderName, &'static str)],
) -> Option<Reply> {
    found(|path| built.file(path), path, asked, headers)
}

fn found(
    find: impl Fn(&str) -> Option<EmbeddedFile>,
    path: &str,
    asked: &HeaderMap,
    headers: &[(HeaderName, &'static str)],
) -> Option<Reply> {
    let plain = find(path)?;
    let tag: String =
        plain.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let kind = typed(plain.metadata.mimetype());
    let keep = if built::is_hashed(path) { FOR_EVER } else { ASK_EACH_TIME };
    let mut all: Vec<(HeaderName, HeaderValue)> = vec![
        (CACHE_CONTROL, HeaderValue::from_static(keep)),
        // The same for the file and its twins, so it is a weak one.
        (ETAG, HeaderValue::try_from(format!("W/\"{tag}\"")).ok()?),
        (VARY, HeaderValue::from_static("Accept-Encoding")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    all.extend(headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
    if Conditions::of(asked).knows(&format!("\"{tag}\"")) {
        return Some(Reply { status: 304, headers: all, ..Reply::default() });
    }
    let twin = TWINS.iter().find_map(|(coding, ending)| {
        let wanted = gzip::accepts(asked, coding);
        Some((*coding, wanted.then(|| find(&format!("{path}{ending}")))??))
    });
    let body = match twin {
        Some((coding, twin)) => {
            all.push((CONTENT_ENCODING, HeaderValue::from_static(coding)));
            built::bytes(twin)
        }
        None => built::bytes(plain),
    };
    all.push((CONTENT_TYPE, HeaderValue::try_from(kind).ok()?));
    all.push((CONTENT_LENGTH, HeaderValue::from(body.len())));
    Some(Reply { status: 200, body: Outflow::Whole(body), headers: all, ..Reply::default() })
}

/// What is text is in UTF-8.
fn typed(kind: &str) -> String {
    match kind {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT_ENCODING, IF_NONE_MATCH, REFERRER_POLICY};

    use super::*;

    /// What a build leaves: a page without twins, a script with both.
    fn dist() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        for (name, text) in [
            ("index.html", "<!doctype html>"),
            ("assets/app-B1x_9zQa.js", "let plain"),
            ("assets/app-B1x_9zQa.js.gz", "gzip"),
            ("assets/app-B1x_9zQa.js.br", "brotli"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn answer(path: &str, asked: &[(HeaderName, &str)]) -> Option<(u16, HeaderMap, String)> {
        let folder = dist();
        let find = |path: &str| rust_embed::utils::read_file_from_fs(&folder.path().join(path)).ok();
        let asked = asked.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        let reply = found(find, path, &asked, &[(REFERRER_POLICY, "no-referrer")])?;
        let Outflow::Whole(body) = reply.body else { panic!("it flows") };
        Some((reply.status, reply.headers.into_iter().collect(), String::from_utf8(body.to_vec()).unwrap()))
    }

    #[test]
    fn the_smallest_twin_that_the_client_takes() {
        for (asked, coding, body) in [
            ("gzip, deflate, br, zstd", Some("br"), "brotli"),
            ("gzip", Some("gzip"), "gzip"),
            ("br;q=0, gzip", Some("gzip"), "gzip"),
            ("identity", None, "let plain"),
        ] {
            let (status, headers, said) =
                answer("assets/app-B1x_9zQa.js", &[(ACCEPT_ENCODING, asked)]).unwrap();
            assert_eq!((status, said.as_str()), (200, body), "{asked}");
            assert_eq!(headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap()), coding, "{asked}");
            assert_eq!(headers[CONTENT_LENGTH], body.len().to_string());
            assert_eq!(headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
            assert_eq!(headers[VARY], "Accept-Encoding");
        }
        let (_, headers, said) = answer("index.html", &[(ACCEPT_ENCODING, "br")]).unwrap();
        assert_eq!((headers.get(CONTENT_ENCODING), said.as_str()), (None, "<!doctype html>"));
    }

    #[test]
    fn what_a_name_promises_is_kept_and_the_rest_is_asked_for() {
        for (path, keep) in [("assets/app-B1x_9zQa.js", FOR_EVER), ("index.html", ASK_EACH_TIME)] {
            let (_, headers, _) = answer(path, &[]).unwrap();
            assert_eq!(headers[CACHE_CONTROL], keep);
            assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert_eq!(headers[REFERRER_POLICY], "no-referrer");
            let etag = headers[ETAG].to_str().unwrap().to_owned();
            let (status, headers, said) = answer(path, &[(IF_NONE_MATCH, &etag)]).unwrap();
            assert_eq!((status, said.as_str()), (304, ""));
            assert_eq!(headers[ETAG], etag);
            assert_eq!(headers[CACHE_CONTROL], keep);
            let (status, ..) = answer(path, &[(IF_NONE_MATCH, "\"0123\"")]).unwrap();
            assert_eq!(status, 200);
        }
        assert!(answer("assets/gone-B1x_9zQa.js", &[]).is_none());
    }
}
