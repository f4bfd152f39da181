//! A real disk of 64 MiB, mounted for the server alone.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use antiphon_testkit::{Program, Running};

const SIZE: u64 = 64 << 20;

/// Commands that give a process its own mounts: for anybody, where the kernel allows it, and for root.
const WAYS: [&[&str]; 2] = [&["unshare", "--user", "--map-root-user", "--mount"], &["unshare", "--mount"]];

/// The program with `data` copied to a small disk at `place`. `None` where this machine lets nobody mount anything.
pub fn program(binary: &str, data: &Path, place: &Path) -> Option<Program> {
    fs::create_dir_all(place).unwrap();
    let place = &place.canonicalize().unwrap();
    let mount = format!("mount -t tmpfs -o size={SIZE} tmpfs '{}'", place.display());
    let allowed = |way: &&&[&str]| {
        let tried = Command::new(way[0]).args(&way[1..]).args(["sh", "-c", &mount]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let way = WAYS.iter().find(allowed)?;
    let script = format!("{mount} && cp -a '{}'/. '{}' && exec \"$@\"", data.display(), place.display());
    let through: Vec<&str> = way.iter().copied().chain(["sh", "-c", &script, "sh"]).collect();
    Some(Program::new(binary, place).through(&through))
}

/// Something else that takes up the disk.
pub struct Filler(PathBuf);

impl Filler {
    /// Fills the disk of a running server until only this many bytes are free.
    pub fn leaving(server: &Running, place: &Path, free: u64) -> Self {
        let root = PathBuf::from(format!("/proc/{}/root", server.pid().as_raw_nonzero()));
        let place = root.join(place.strip_prefix("/").unwrap());
        let used: u64 =
            fs::read_dir(&place).unwrap().flatten().map(|entry| entry.metadata().unwrap().len()).sum();
        let filler = place.join("filler");
        let mut file = OpenOptions::new().create(true).append(true).open(&filler).unwrap();
        for _ in 0..(SIZE - used - free) / 65_536 {
            if file.write_all(&[7; 65_536]).is_err() {
                break;
            }
        }
        Self(filler)
    }

    /// Gives the space back.
    pub fn remove(self) {
        fs::remove_file(self.0).unwrap();
    }
}
