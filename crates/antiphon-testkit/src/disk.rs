//! The disk that forgets, from the outside: builds it, starts the server on it, cuts the power.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Program, copy_dir};

/// A data directory on a disk that loses what was not synced.
pub struct Disk {
    pub data: PathBuf,
    shadow: PathBuf,
    control: PathBuf,
    library: PathBuf,
}

/// What `powercut.c` shares with us, by its place in the control file.
#[derive(Clone, Copy)]
pub enum Dial {
    /// Syncs of the write-ahead log so far.
    WalSyncs = 0,
    /// Syncs of everything else.
    OtherSyncs = 8,
    /// Bytes that may still be written.
    Space = 24,
    /// Not 0: every write is refused.
    ReadOnly = 32,
    /// Not 0: every sync fails.
    SyncError = 40,
    /// Thousandths of the disk that are said to be in use; 0: as it really is.
    Taken = 48,
}

impl Disk {
    /// A disk below a directory, holding a copy of `data`.
    pub fn new(root: &Path, data: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        let disk = Self {
            data: root.join("data"),
            shadow: root.join("shadow"),
            control: root.join("control"),
            library: root.join("powercut.so"),
        };
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/powercut.c");
        let built = Command::new("cc")
            .args([
                "-Wall",
                "-Wextra",
                "-Werror",
                "-O2",
                "-shared",
                "-fPIC",
                source,
                "-ldl",
                "-lpthread",
                "-o",
            ])
            .arg(&disk.library)
            .status()?;
        assert!(built.success(), "powercut.c needs a C compiler named cc");
        copy_dir(data, &disk.data)?;
        copy_dir(data, &disk.shadow)?;
        fs::write(&disk.control, [0; 56])?;
        disk.turn(Dial::Space, i64::MAX)?;
        Ok(disk)
    }

    /// The program, on this disk. `leak` of a thousand writes reach the platter before they are synced, whole or torn.
    pub fn program(&self, binary: &str, leak: u32) -> Program {
        Program::new(binary, &self.data)
            .env("LD_PRELOAD", &self.library)
            .env("POWERCUT_DATA", &self.data)
            .env("POWERCUT_SHADOW", &self.shadow)
            .env("POWERCUT_CONTROL", &self.control)
            .env("POWERCUT_LEAK", leak.to_string())
            .env("POWERCUT_DELAY_US", "2000")
    }

    /// What a power cut leaves behind becomes the disk's content. The server must be dead.
    pub fn cut(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.data)?;
        fs::rename(&self.shadow, &self.data)?;
        copy_dir(&self.data, &self.shadow)
    }

    /// Turns a dial while the server runs.
    pub fn turn(&self, dial: Dial, value: i64) -> io::Result<()> {
        OpenOptions::new().write(true).open(&self.control)?.write_all_at(&value.to_ne_bytes(), dial as u64)
    }

    /// Reads a dial.
    pub fn read(&self, dial: Dial) -> io::Result<i64> {
        let mut value = [0; 8];
        OpenOptions::new().read(true).open(&self.control)?.read_exact_at(&mut value, dial as u64)?;
        Ok(i64::from_ne_bytes(value))
    }
}
