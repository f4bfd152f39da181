//! What the front end's own tools have built is embedded in release builds, and those have to notice that it is another.

use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for package in ["inbox", "widget"] {
        let dist = Path::new("../../ui").join(package).join("dist");
        // A folder that is there can be watched, and a debug build finds in it later what is not built yet. Where it cannot be
        // made, nothing can be built either.
        let there = fs::create_dir_all(&dist).is_ok() || dist.exists();
        if there && std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
            println!("cargo:rerun-if-changed={}", dist.display());
        }
    }
}
