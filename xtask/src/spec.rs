//! The description of our API, generated from the code and kept in the repository so that a change of it is seen in review.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::run::{cargo, command, finish, output, root, target};

/// Writes `spec/openapi.json`.
pub fn write() -> Result<()> {
    let path = path();
    fs::create_dir_all(root().join("spec"))?;
    fs::write(&path, generated()?).with_context(|| format!("could not write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

/// Fails when `spec/openapi.json` is not what the code would generate.
pub fn check() -> Result<()> {
    let kept = fs::read(path()).unwrap_or_default();
    ensure!(
        kept == generated()?,
        "spec/openapi.json is not what the code says: run `cargo xtask spec` and commit it"
    );
    Ok(())
}

fn path() -> PathBuf {
    root().join("spec").join("openapi.json")
}

/// Built with the whole workspace, as the tests are, so that nothing is compiled a second time with other features.
fn generated() -> Result<Vec<u8>> {
    finish(cargo(&["build", "--quiet", "--workspace", "--bin", "antiphon"]))?;
    output(command(target().join("debug").join("antiphon"), &["openapi"]))
}
