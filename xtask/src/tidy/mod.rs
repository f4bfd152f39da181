//! Checks what the compiler cannot: who may know whom, and that files stay rooms a stranger can read.

mod sources;
mod walls;

use std::path::Path;

use anyhow::{Result, bail};

use crate::run::root;

/// Fails with every finding at once.
pub fn run() -> Result<()> {
    let findings = findings(&root())?;
    if findings.is_empty() {
        println!("the tree is tidy");
        return Ok(());
    }
    bail!("the tree is not tidy:\n  {}", findings.join("\n  "))
}

fn findings(root: &Path) -> Result<Vec<String>> {
    let mut findings = walls::findings(root)?;
    findings.extend(sources::findings(root)?);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        assert_eq!(super::findings(&crate::run::root()).unwrap(), Vec::<String>::new());
    }
}
