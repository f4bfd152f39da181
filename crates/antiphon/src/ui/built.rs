//! What the front end's tools have left in `ui/*/dist`. A release build carries it; a debug build reads it from the disk each
//! time, so that what is built anew is seen at once.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../ui/inbox/dist"]
#[allow_missing = true]
struct Inbox;

#[derive(RustEmbed)]
#[folder = "../../ui/widget/dist"]
#[allow_missing = true]
struct Widget;

/// One of the packages.
#[derive(Debug, Clone, Copy)]
pub enum Built {
    Inbox,
    Widget,
}

impl Built {
    /// A file by its path in the package, or nothing: also for a path that leads out of it.
    pub fn file(self, path: &str) -> Option<EmbeddedFile> {
        if !is_plain(path) {
            return None;
        }
        match self {
            Self::Inbox => Inbox::get(path),
            Self::Widget => Widget::get(path),
        }
    }
}

/// The bytes of a file, without a copy where the program carries them.
pub fn bytes(file: EmbeddedFile) -> Bytes {
    match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// Names as the tools make them, none of them hidden.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|name| {
        !name.starts_with('.')
            && !name.is_empty()
            && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
    })
}

/// Whether a file's name changes with its content: `name-HASH.ext`, as Vite calls what it makes. One whose hash happens to have
/// neither digits nor capitals is taken for a plain name, and asked for more often than it need be.
pub fn is_hashed(path: &str) -> bool {
    let name = path.strip_prefix("assets/").unwrap_or_default();
    let hash =
        name.rsplit_once('.').map(|(stem, _)| stem).and_then(|stem| stem.get(stem.len().checked_sub(9)?..));
    let hash = hash.and_then(|hash| hash.strip_prefix('-'));
    hash.is_some_and(|hash| {
        hash.is_ascii() && hash.bytes().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        for (path, plain) in [
            ("index.html", true),
            ("assets/app-B1x_-9zQ.js", true),
            ("../Cargo.toml", false),
            ("assets/../../x", false),
            ("/etc/passwd", false),
            (".vite/manifest.json", false),
            ("assets//x.js", false),
            ("a\\b", false),
            ("a\0b", false),
            ("é.js", false),
            ("", false),
        ] {
            assert_eq!(is_plain(path), plain, "{path}");
        }
    }

    #[test]
    fn hashed_names() {
        for (path, hashed) in [
            ("assets/app-B1x_-9zQ.js", true),
            ("assets/app-DEADBEEF.js", true),
            ("assets/Thread-BnY8--0-.css", true),
            ("assets/without-inlines.css", false),
            ("assets/app.js", false),
            ("assets/-.js", false),
            ("assets/app-B1x.js", false),
            ("app-B1x_-9zQ.js", false),
            ("loader.js", false),
            ("assets/é-B1x_9zé.js", false),
        ] {
            assert_eq!(is_hashed(path), hashed, "{path}");
        }
    }
}
