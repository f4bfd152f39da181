//! For tests that are no Rust: prints the address of an empty database, and goes with it when its input ends.

use std::io::{Read, Write};

fn main() -> anyhow::Result<()> {
    let database = antiphon_cluster::shared()?.database()?;
    println!("{}", database.url());
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
