//! `cargo xtask test`: every check and test there is, in the order in which a mistake is found soonest.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::run::{cargo, command, finish, root, target, works};
use crate::{browser, deploy, release, spec, suite, tidy, ui};

#[derive(Args)]
pub struct Options {
    /// Runs only these steps
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Lists the steps and stops
    #[arg(long)]
    list: bool,
}

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result<()>,
}

const STEPS: [Step; 14] = [
    Step { name: "fmt", what: "the code is formatted", run: fmt },
    Step { name: "tidy", what: "walls and file shapes the compiler cannot check", run: tidy::run },
    Step { name: "clippy", what: "lints, all of them errors", run: clippy },
    Step { name: "docs", what: "documentation builds, private items included", run: docs },
    Step { name: "deny", what: "licences, sources and bans of dependencies", run: deny },
    Step {
        name: "deploy",
        what: "container, compose, service and chart files, by their linters",
        run: deploy::run,
    },
    Step {
        name: "ui",
        what: "what people see: types, unit tests, the build, and that it stays small",
        run: ui::test,
    },
    Step { name: "tests", what: "every test of the workspace, real clients included", run: suite::whole },
    Step {
        name: "engines",
        what: "store, API, events and durability on PostgreSQL too: plain, and in parts with every plan looked at",
        run: suite::engines,
    },
    Step {
        name: "browser",
        what: "the inbox and the chat in a real browser, on one node and on two",
        run: browser::all,
    },
    Step { name: "doctests", what: "examples in the documentation", run: doctests },
    Step { name: "spec", what: "spec/openapi.json is what the code says", run: spec::check },
    Step { name: "fuzz", what: "hostile bytes for every parser, shortly", run: fuzz },
    Step {
        name: "release",
        what: "the release build: static, small, serving from an empty root",
        run: release::run,
    },
];

pub fn run(options: &Options) -> Result<()> {
    let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    if let Some(unknown) = options.only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("there is no step `{unknown}`; there are {}", names.join(", "));
    }
    let mut times = Vec::new();
    for step in &STEPS {
        if options.list {
            println!("{:9} {}", step.name, step.what);
        } else if options.only.is_empty() || options.only.iter().any(|name| name == step.name) {
            println!("\n── {}: {}", step.name, step.what);
            let begun = Instant::now();
            (step.run)().with_context(|| {
                format!(
                    "{} failed; run just this step again with: cargo xtask test --only {}",
                    step.name, step.name
                )
            })?;
            times.push((step.name, begun.elapsed()));
            println!("── {} passed in {:.1} s", step.name, begun.elapsed().as_secs_f64());
        }
    }
    if !options.list {
        let total: Duration = times.iter().map(|(_, time)| *time).sum();
        let each: Vec<String> =
            times.iter().map(|(name, time)| format!("{name} {:.0} s", time.as_secs_f64())).collect();
        println!("\nAll passed in {:.0} s ({}).", total.as_secs_f64(), each.join(", "));
    }
    Ok(())
}

fn fmt() -> Result<()> {
    finish(cargo(&["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    finish(cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

fn docs() -> Result<()> {
    let mut doc = cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    // Private items are documented here, so public ones may link to them.
    doc.env("RUSTDOCFLAGS", "--deny warnings --allow rustdoc::private_intra_doc_links");
    finish(doc)
}

/// Advisories are left out: their database is a download of its own, and a test must not depend on the day.
fn deny() -> Result<()> {
    let deny = tool("cargo-deny")?;
    let mut check = command(deny, &["--log-level", "error", "check", "bans", "licenses", "sources"]);
    check.env("CARGO_TERM_QUIET", "true");
    finish(check)
}

fn doctests() -> Result<()> {
    finish(cargo(&["test", "--quiet", "--workspace", "--doc"]))
}

fn fuzz() -> Result<()> {
    let fuzz = tool("cargo-fuzz")?;
    // Only nightly has the sanitizer; without it, inputs still follow coverage and panics are still found.
    let (toolchain, sanitizer) = match works("cargo", &["+nightly", "--version"]) {
        true => ("nightly", "address"),
        false => ("stable", "none"),
    };
    for target in &fuzz_targets()? {
        println!("fuzzing {target} for 10 s");
        let mut run = command(&fuzz, &["fuzz", "run", "--sanitizer", sanitizer, target]);
        run.args(["--", "-max_total_time=10", "-verbosity=0"]).env("RUSTUP_TOOLCHAIN", toolchain);
        finish(run)?;
    }
    Ok(())
}

fn fuzz_targets() -> Result<Vec<String>> {
    let folder = fs::read_dir(root().join("fuzz").join("fuzz_targets"))?;
    let mut names: Vec<String> =
        folder.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    ensure!(!names.is_empty(), "there is nothing to fuzz");
    Ok(names)
}

/// A cargo tool from the machine, or else built from the registry into `target/tools`, once.
fn tool(name: &str) -> Result<PathBuf> {
    if works(name, &["--version"]) {
        return Ok(PathBuf::from(name));
    }
    let folder = target().join("tools");
    let program = folder.join("bin").join(name);
    if !program.exists() {
        println!("{name} is not installed: building it into {}, once.", folder.display());
        let mut install = cargo(&["install", name, "--locked", "--debug", "--quiet", "--root"]);
        install.env("CARGO_PROFILE_DEV_DEBUG", "false");
        install.arg(&folder);
        finish(install)?;
    }
    ensure!(program.exists(), "{} is still missing", program.display());
    Ok(program)
}
