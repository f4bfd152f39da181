//! `antiphon openapi`

use super::Common;
use crate::openapi::document;
use crate::routes::Routes;

pub fn run(common: &Common) -> anyhow::Result<()> {
    let document = document(&Routes::new()?, "http://127.0.0.1:8085");
    match common.json {
        true => println!("{document}"),
        false => println!("{document:#}"),
    }
    Ok(())
}
