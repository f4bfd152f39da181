//! What this machine could do at best. Nothing of the product runs here but its schema.

pub mod disk;
pub mod files;
pub mod http;
pub mod pgbench;
pub mod postgres;
pub mod reads;
pub mod writes;

use std::path::Path;

use anyhow::{Context, Result};

/// The schema's file in a data directory.
pub fn database(data_dir: &Path) -> Result<std::path::PathBuf> {
    let found = std::fs::read_dir(data_dir)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|e| e == "db" || e == "sqlite"));
    found.with_context(|| format!("no database in {}", data_dir.display()))
}
