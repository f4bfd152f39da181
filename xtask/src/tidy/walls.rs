//! The walls between the crates, read from the manifests; and that nothing is depended on in vain.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::sources::rust_files;
use crate::run::{cargo, output};

/// Which crates of ours each may depend on in what it ships.
const MAY_KNOW: [(&str, &[&str]); 9] = [
    ("antiphon-wire", &[]),
    ("antiphon-vfs", &[]),
    ("antiphon-store", &["antiphon-vfs"]),
    ("antiphon-mail", &[]),
    ("antiphon", &["antiphon-wire", "antiphon-store", "antiphon-mail"]),
    // It speaks SQL to set PostgreSQL up, and nothing of ours, so that the store's own tests can use it.
    ("antiphon-cluster", &[]),
    (
        "antiphon-testkit",
        &["antiphon", "antiphon-wire", "antiphon-store", "antiphon-mail", "antiphon-cluster"],
    ),
    // It speaks to the server from outside, and to its store to lay the same rows in a bare loop.
    ("antiphon-bench", &["antiphon-store", "antiphon-wire", "antiphon-cluster"]),
    ("xtask", &[]),
];
/// What only their tests may see besides.
const TESTS_MAY_KNOW: [(&str, &[&str]); 2] =
    [("antiphon", &["antiphon-testkit", "antiphon-cluster"]), ("antiphon-store", &["antiphon-cluster"])];

pub fn findings(root: &Path) -> Result<Vec<String>> {
    let metadata = output(cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_slice(&metadata).context("cargo metadata is not JSON")?;
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, known)) = MAY_KNOW.iter().find(|(crate_name, _)| *crate_name == name) else {
            findings.push(format!("{name}: say in xtask/src/tidy/walls.rs what this crate may know"));
            continue;
        };
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let folder = manifest.parent().unwrap_or(root);
        let text = all_text(folder)?;
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let wanted = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            let ours = MAY_KNOW.iter().any(|(crate_name, _)| *crate_name == wanted);
            let allowed = known.contains(&wanted)
                || (for_tests
                    && TESTS_MAY_KNOW.iter().any(|(tested, seen)| *tested == name && seen.contains(&wanted)));
            if ours && !allowed {
                findings.push(format!("{name} must not know {wanted}"));
            }
            let called = dependency["rename"].as_str().unwrap_or(wanted).replace('-', "_");
            if !text.contains(&called) {
                findings.push(format!("{name} depends on {wanted} and never uses it"));
            }
        }
    }
    Ok(findings)
}

/// Everything the crate's files say, to see whether a dependency is mentioned at all.
fn all_text(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for file in rust_files(folder)? {
        text.push_str(&fs::read_to_string(file)?);
    }
    Ok(text)
}
