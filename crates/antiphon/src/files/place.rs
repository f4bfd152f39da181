//! Where a file is to be, and what it is to be called: names are names, never ways to somewhere else.

use antiphon_store::{Changes, File, FileState, Folder, Millis, Moment};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{LenientId, MAX_SAFE};
use unicode_normalization::UnicodeNormalization;

use crate::refusal::Refusal;

/// Most bytes of a name.
const LONGEST: usize = 255;

/// A place among the folders: by id, by path, or the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    pub folder: Option<i64>,
    pub path: Option<Vec<String>>,
}

impl Place {
    /// Reads both ways to say it, of which one may be used.
    pub fn read(
        (id_name, id): (&str, Option<&LenientId>),
        (path_name, path): (&str, Option<&str>),
        problems: &mut Vec<Problem>,
    ) -> Self {
        let id = id.filter(|id| !id.as_str().trim().is_empty());
        let path = path.filter(|path| !path.trim().is_empty());
        match (id, path) {
            (Some(_), Some(_)) => {
                problems
                    .push(Problem::new(path_name, format!("Give either {id_name} or {path_name}, not both")));
                Self::default()
            }
            (Some(id), None) => {
                let id = if id.as_str().trim() == "0" { Some(0) } else { id.parse(MAX_SAFE) };
                if id.is_none() {
                    problems.push(Problem::new(id_name, "This is not the id of a folder"));
                }
                Self { folder: id, path: None }
            }
            (None, Some(path)) => match names(path_name, path) {
                Ok(names) => Self { folder: None, path: Some(names) },
                Err(problem) => {
                    problems.push(problem);
                    Self::default()
                }
            },
            (None, None) => Self::default(),
        }
    }

    /// Whether nothing was said.
    pub fn is_unsaid(&self) -> bool {
        *self == Self::default()
    }

    /// As it was said, for those who look for it in vain.
    pub fn shown(&self) -> String {
        match (&self.folder, &self.path) {
            (Some(id), _) => id.to_string(),
            (_, Some(path)) => format!("/{}", path.join("/")),
            _ => "/".into(),
        }
    }
}

/// The names of a path.
///
/// # Errors
/// One of them is none, or there are too many.
pub fn names(field: &str, path: &str) -> Result<Vec<String>, Problem> {
    let names: Vec<String> = path
        .split('/')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|text| name(field, text))
        .collect::<Result<_, _>>()?;
    if names.len() > Folder::DEEPEST {
        return Err(Problem::new(field, format!("Folders are at most {} deep", Folder::DEEPEST)));
    }
    Ok(names)
}

/// A name of a file or a folder, in the one form that its letters have: what looks the same is the same, whoever wrote it.
///
/// # Errors
/// It is empty, too long, or a way to somewhere else.
pub fn name(field: &str, text: &str) -> Result<String, Problem> {
    let text: String = text.trim().nfc().collect();
    let bad = |c: char| {
        c.is_control() || matches!(c, '/' | '\\' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.is_empty() || text == "." || text == ".." || text.contains(bad) {
        let message = "A name is not empty, and has no slashes, backslashes or control characters";
        return Err(Problem::new(field, message));
    }
    if text.len() > LONGEST {
        return Err(Problem::new(field, format!("A name has at most {LONGEST} bytes")));
    }
    Ok(text)
}

/// The last part of what a browser or a server calls a file: some send the whole way to it.
pub fn last(text: &str) -> &str {
    text.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// A name without its extension, and the extension.
pub fn apart(name: &str) -> (String, String) {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=16).contains(&extension.len())
                && extension.bytes().all(|c| c.is_ascii_alphanumeric()) =>
        {
            (stem.to_owned(), extension.to_owned())
        }
        _ => (name.to_owned(), String::new()),
    }
}

/// The folder of a place, made with those it is in where they are missing.
///
/// # Errors
/// It is named by its id and not there.
pub fn found_or_made(
    state: &FileState,
    place: &Place,
    moment: &mut Moment,
    changes: &mut Changes,
) -> Result<i64, Refusal> {
    let mut parent = state.folders.last().map_or(0, |folder| folder.id);
    if state.placed {
        return Ok(parent);
    }
    let Some(path) = &place.path else { return Err(Refusal::not_found(place.shown())) };
    for name in path.iter().skip(state.folders.len()) {
        let folder = Folder {
            id: moment.file_id(),
            parent,
            name: name.clone(),
            created_at: moment.now,
            updated_at: moment.now,
            archived_at: None,
        };
        parent = folder.id;
        changes.folders.push(folder);
    }
    Ok(parent)
}

/// Where a file is among its folders.
pub fn path(folders: &[Folder], name: &str) -> String {
    let mut path = String::new();
    for folder in folders {
        path.extend(["/", &folder.name]);
    }
    path.extend(["/", name]);
    path
}

/// A file that is deleted.
pub fn archived(file: File, now: Millis) -> File {
    File { archived_at: Some(now), updated_at: now, ..file }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere() {
        for bad in ["", " ", ".", "..", "a/b", "a\\b", "a\0b", "a\nb", "\u{202e}gpj.exe", &"x".repeat(256)] {
            assert!(name("name", bad).is_err(), "{bad:?}");
        }
        for good in ["a", "Grüße aus Köln.txt", "..a", "a b", "%2e%2e", &"x".repeat(255)] {
            assert_eq!(name("name", good).unwrap(), good);
        }
        assert_eq!(
            name("name", "Gru\u{308}ße.txt").unwrap(),
            "Gr\u{fc}ße.txt",
            "a letter and its mark are one"
        );
        assert_eq!(names("path", "/e\u{301}/ \u{1112}\u{1161}\u{11ab}").unwrap(), ["\u{e9}", "\u{d55c}"]);
        assert_eq!(
            name("name", "\u{fb01}le \u{2460}").unwrap(),
            "\u{fb01}le \u{2460}",
            "but signs stay what they are"
        );
        assert_eq!(last("C:\\Users\\me\\photo.png"), "photo.png");
        assert_eq!(last("../../etc/passwd"), "passwd");
        assert_eq!(names("path", "/a//b/ c /").unwrap(), ["a", "b", "c"]);
        assert!(names("path", "/a/../b").is_err());
        assert!(names("path", &"a/".repeat(21)).is_err());
    }

    #[test]
    fn extensions_are_short_and_plain() {
        for (name, stem, extension) in [
            ("a.png", "a", "png"),
            ("a.tar.gz", "a.tar", "gz"),
            (".bashrc", ".bashrc", ""),
            ("a.", "a.", ""),
            ("Dr. Who", "Dr. Who", ""),
            ("v1.2", "v1", "2"),
        ] {
            assert_eq!(apart(name), (stem.into(), extension.into()), "{name}");
        }
    }
}
