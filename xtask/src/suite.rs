//! Which tests run on which engine.
//!
//! The workspace's tests run once, on the embedded engine. What is about a store, or stands on one, then runs on PostgreSQL as
//! well; what touches no store, or names its engine itself, would only do the same again.

use anyhow::Result;

use crate::run::{cargo, finish, works};

/// What every engine has to do: the store's own suite, the API and its events from the outside, and the parts of the program
/// that open a store. Left out is what is about files, what is on PostgreSQL anyway, and whatever fills the demo once more.
const STORES: &str = "(package(antiphon-store) & binary(behaviour) & !test(/^(files|backups)::/)) \
    | (package(antiphon) & binary(it) & !test(/^(database|house|doctor::damaged)/)) \
    | (package(antiphon) & kind(lib) & test(/^(cli::manage|middleware|serve)::tests::/)) \
    | (package(antiphon) & kind(lib) & test(/^demo::tests::(all|only)_/))";

/// The program in a process of its own: killed again and again, and asked by HubSpot's clients. How the tables are laid out makes
/// no difference to either.
const PROGRAMS: &str = "package(antiphon) & (binary(clients) | (binary(durability) & (test(two_hundred_kills) | test(/^chats::/))))";

/// The demo is thousands of requests one after the other, and each time the same.
const DEMO: &str = "test(/^demo::/) | test(doctor::sound)";

/// Every test of the workspace.
pub fn whole() -> Result<()> {
    if works("cargo", &["nextest", "--version"]) {
        return finish(cargo(&["nextest", "run", "--workspace"]));
    }
    println!(
        "cargo-nextest is not installed: falling back to cargo test, which runs one binary after another."
    );
    finish(cargo(&["test", "--workspace", "--lib", "--bins", "--tests"]))
}

/// The tests that are about stores, on the engines that [`whole`] did not have.
pub fn engines() -> Result<()> {
    for (engine, tests) in [
        ("postgres", format!("({STORES}) | ({PROGRAMS})")),
        ("partitioned", format!("({STORES}) - ({DEMO})")),
    ] {
        println!("on {engine}:");
        let mut suites = Vec::new();
        if works("cargo", &["nextest", "--version"]) {
            suites.push(cargo(&["nextest", "run", "-p", "antiphon-store", "-p", "antiphon", "-E", &tests]));
        } else {
            suites.push(cargo(&["test", "--quiet", "-p", "antiphon-store", "--test", "behaviour"]));
            suites.push(cargo(&["test", "--quiet", "-p", "antiphon", "--lib", "--test", "it"]));
        }
        for mut suite in suites {
            suite.env("ANTIPHON_TEST_STORE", engine);
            finish(suite)?;
        }
    }
    Ok(())
}
