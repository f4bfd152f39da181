//! What people see, in a real browser against the real server: Debian's Chromium, driven by Playwright from `ui/e2e`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::run::{cargo, command, finish, target, works};
use crate::ui;

/// The browser, and letters for what people write in it.
const PACKAGES: [&str; 2] = ["chromium", "fonts-noto-core"];

/// What pictures need besides: people of the demo write Japanese and Chinese, and laugh; and pictures are to be small.
const PICTURES: [(&str, &str); 3] = [
    ("pngquant", "/usr/bin/pngquant"),
    ("fonts-noto-cjk", "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    ("fonts-noto-color-emoji", "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"),
];

/// Everything behind `browser` goes to Playwright: names of files, `--grep`, `--project`, `--headed`.
#[derive(Debug, Args)]
pub struct Options {
    /// Writes the pictures of docs/images anew
    #[arg(long)]
    pictures: bool,
    /// Measures how long people wait, on a release build, and tests nothing
    #[arg(long, conflicts_with = "pictures")]
    measure: bool,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// The step of the suite: all of it.
pub fn all() -> Result<()> {
    run(&Options { pictures: false, measure: false, rest: Vec::new() })
}

pub fn run(options: &Options) -> Result<()> {
    ui::run()?;
    chromium()?;
    // A debug build reads what people see from where it was just built.
    finish(cargo(&["build", "--quiet", "--package", "antiphon", "--package", "antiphon-cluster"]))?;
    let mut test = ui::npm(&["run", "e2e", "--silent", "--workspace", "e2e", "--"]);
    test.env("ANTIPHON_PROGRAM", target().join("debug/antiphon"));
    test.env("ANTIPHON_CLUSTER", target().join("debug/antiphon-cluster"));
    if options.measure {
        finish(cargo(&["build", "--quiet", "--release", "--package", "antiphon"]))?;
        test.env("ANTIPHON_PROGRAM", target().join("release/antiphon"));
        test.args(["--config", "measure.config.ts"]);
    }
    test.args(&options.rest);
    if options.pictures {
        let missing: Vec<&str> = PICTURES
            .iter()
            .filter(|(_, file)| !Path::new(file).exists())
            .map(|(package, _)| *package)
            .collect();
        ensure!(
            missing.is_empty(),
            "pictures need more than this machine has: apt-get install {}",
            missing.join(" ")
        );
        test.args(["--project", "pictures"]);
        test.env("ANTIPHON_PICTURES", "1");
    }
    finish(test)
}

/// Sees that there is a browser.
fn chromium() -> Result<()> {
    let fonts = Path::new("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf").exists();
    if works("chromium", &["--version"]) && fonts {
        return Ok(());
    }
    println!("Chromium or its fonts are not installed: asking Debian for them.");
    let why = "what people see is tried in Chromium: install chromium and fonts-noto-core, or be root on Debian for this run";
    let mut install = command("apt-get", &["install", "--yes", "--quiet", "--no-install-recommends"]);
    install.args(PACKAGES).env("DEBIAN_FRONTEND", "noninteractive");
    if install.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    // A machine that was made a moment ago knows no packages yet.
    finish(command("apt-get", &["update", "--quiet"])).context(why)?;
    finish(install).context(why)
}
