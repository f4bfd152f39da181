//! What the text of the source files may and may not say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A longer file is two rooms.
const MOST_LINES: usize = 800;

/// A word that only some crates may use outside comments.
struct Wall {
    words: &'static [&'static str],
    crates: &'static [&'static str],
    reason: &'static str,
}

const WALLS: [Wall; 4] = [
    Wall {
        words: &["rusqlite", "\"SELECT ", "\"INSERT ", "\"DELETE FROM", "\"UPDATE "],
        crates: &["antiphon", "antiphon-wire", "antiphon-mail", "antiphon-testkit"],
        reason: "no SQL outside antiphon-store",
    },
    Wall {
        words: &["http::", "hyper::", "hyper_util::", "StatusCode"],
        crates: &["antiphon-store", "antiphon-wire", "antiphon-mail"],
        reason: "HTTP is known to antiphon alone",
    },
    Wall {
        words: &["Instant::now", "SystemTime", "tokio::", "async fn"],
        crates: &["antiphon-wire", "antiphon-mail"],
        reason: "how things are said and read needs no clock and waits for nothing",
    },
    Wall {
        words: &["serde::Serialize", "Serialize,", "Serialize)"],
        crates: &["antiphon-store"],
        reason: "no stored type is serialised: a renamed column must never change the API (ids excepted)",
    },
];

pub fn findings(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in rust_files(root)? {
        let text = fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
        let shown = file.strip_prefix(root).unwrap_or(&file);
        findings.extend(file_findings(shown, &text));
    }
    findings.extend(migration_findings(&root.join("crates/antiphon-store/migrations"))?);
    Ok(findings)
}

fn file_findings(path: &Path, text: &str) -> Vec<String> {
    let shown = path.display();
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > MOST_LINES {
        findings.push(format!("{shown}: {lines} lines: is it one room, or two?"));
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let in_src = path.components().any(|part| part.as_os_str() == "src");
    if in_src && matches!(name, "mod.rs" | "lib.rs" | "main.rs") && !text.starts_with("//!") {
        findings.push(format!("{shown}: open with `//!` and say what the room is for"));
    }
    let room = path.components().nth(1).and_then(|part| part.as_os_str().to_str()).unwrap_or_default();
    for wall in WALLS.iter().filter(|wall| in_src && wall.crates.contains(&room) && name != "ids.rs") {
        let broken = text.lines().enumerate().find(|(_, line)| {
            !line.trim_start().starts_with("//") && wall.words.iter().any(|word| line.contains(word))
        });
        if let Some((number, line)) = broken {
            findings.push(format!("{shown}:{}: {}: {}", number + 1, wall.reason, line.trim()));
        }
    }
    findings
}

/// Once there are two engines, every migration of one has its twin in the other.
fn migration_findings(folder: &Path) -> Result<Vec<String>> {
    if !folder.join("postgres").is_dir() {
        return Ok(Vec::new());
    }
    let names = |engine: &str| -> Result<BTreeSet<String>> {
        let entries = fs::read_dir(folder.join(engine))?;
        Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
    };
    let (sqlite, postgres) = (names("sqlite")?, names("postgres")?);
    let alone = sqlite.symmetric_difference(&postgres);
    Ok(alone.map(|name| format!("migrations: {name} has no twin for the other engine")).collect())
}

/// All Rust files below a folder, build output aside, in order.
pub fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("could not read {}", folder.display()))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() && !matches!(name.as_str(), "target" | "node_modules" | ".venv") {
                folders.push(path);
            } else if name.ends_with(".rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wall_is_guarded() {
        let cases = [
            ("crates/antiphon/src/threads/list.rs", "let q = \"SELECT 1\";", 1),
            ("crates/antiphon/src/threads/list.rs", "// a query, \"SELECT 1\"", 0),
            ("crates/antiphon-store/src/sqlite/reader.rs", "let q = \"SELECT 1\";", 0),
            ("crates/antiphon-store/src/threads.rs", "use http::StatusCode;", 1),
            ("crates/antiphon-store/src/threads.rs", "#[derive(Debug, Serialize)]", 1),
            ("crates/antiphon-store/src/ids.rs", "#[derive(Debug, Serialize)]", 0),
            ("crates/antiphon-wire/src/mod.rs", "pub mod x;", 1),
            ("crates/antiphon-mail/tests/hostile.rs", "Instant::now()", 0),
        ];
        for (path, text, found) in cases {
            assert_eq!(file_findings(Path::new(path), text).len(), found, "{path}: {text}");
        }
        assert_eq!(file_findings(Path::new("crates/antiphon/src/x.rs"), &"\n".repeat(801)).len(), 1);
    }
}
