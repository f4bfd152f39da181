//! The database's disk is full. The disk is a real one, small and of this test's own: the test starts itself once more where
//! it may mount one.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use antiphon_cluster::Options;
use antiphon_store::StoreError;
use tokio::time::sleep;

use crate::kit::*;

/// What tells a process of this test that it has a small disk, and where.
const DISK: &str = "ANTIPHON_TEST_DISK";

/// Commands that give a process its own mounts: for root, for those who may become root, and for anybody where the kernel
/// allows it. PostgreSQL refuses to be root, so the last is not root any more inside.
const WAYS: [&[&str]; 3] = [
    &["unshare", "--mount"],
    &["sudo", "--non-interactive", "--preserve-env", "unshare", "--mount"],
    &["unshare", "--user", "--map-root-user", "--mount"],
];

/// Runs this test on a small disk of its own; `true` where that has happened already.
fn small_disk(test: &str) -> bool {
    if std::env::var_os(DISK).is_some() {
        return true;
    }
    let place = tempfile::tempdir().unwrap();
    let shown = place.path().display();
    let mount = format!("mount -t tmpfs -o size=160m,mode=1777 tmpfs '{shown}'");
    let allowed = |way: &&&[&str]| {
        let tried = Command::new(way[0]).args(&way[1..]).args(["sh", "-c", &mount]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let way =
        WAYS.iter().find(allowed).expect("a small disk can be mounted as root, with sudo or in a namespace");
    let inside = if way.contains(&"--user") { "unshare --user --map-user=1000 --map-group=1000" } else { "" };
    let script = format!("{mount} && exec {inside} env TMPDIR='{shown}' {DISK}='{shown}' \"$@\"");
    let mut again = Command::new(way[0]);
    again.args(&way[1..]).args(["sh", "-c", &script, "sh"]).arg(std::env::current_exe().unwrap());
    let status = again.args([test, "--exact", "--nocapture"]).status().unwrap();
    assert!(status.success(), "it failed on the small disk");
    false
}

/// Something else that takes up the disk.
struct Filler(PathBuf);

impl Filler {
    fn all_of_it() -> Self {
        let path = PathBuf::from(std::env::var_os(DISK).unwrap()).join("filler");
        let mut file = File::create(&path).unwrap();
        while file.write_all(&[7; 4096]).is_ok() {}
        println!("{} bytes fill the disk", file.metadata().unwrap().size());
        Self(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_recovers() {
    if !small_disk("disk::a_full_disk_refuses_and_recovers") {
        return;
    }
    let options = small(Options::durable()).set("max_wal_size", "48MB").set("min_wal_size", "32MB");
    let scene = Scene::on(options, |_| {}).await;
    let flood = scene.flood(4);
    for _ in 0..2 {
        sleep(Duration::from_millis(500)).await;
        let filler = Filler::all_of_it();
        let begun = Instant::now();
        // There is room left in the files that exist.
        while !matches!(scene.send(1).await, Err(StoreError::Unavailable(_))) {
            assert!(begun.elapsed() < Duration::from_secs(40), "it is never full");
        }
        drop(filler);
        if scene.cluster.rows("SELECT 1").is_err() {
            // It has given up on its log, and would be started again by its keeper.
            scene.cluster.kill().unwrap();
            scene.cluster.start_again().unwrap();
        }
        scene.recovers(1, RECOVERED).await;
        scene.reads_recover(RECOVERED).await;
    }
    let tally = flood.end().await;
    assert!(tally.refused > 0 && tally.acknowledged > 100, "{tally:?}");
    scene.sound().await;
}
