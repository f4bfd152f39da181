//! How full the disk is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long an answer is good for.
const FRESH: Duration = Duration::from_secs(1);

pub(super) struct Disk {
    dir: PathBuf,
    /// Share that has to be free.
    least_free: f64,
    began: Instant,
    /// Milliseconds after `began` at which to look again.
    next_look: AtomicU64,
    low: AtomicBool,
}

impl Disk {
    pub(super) fn new(dir: PathBuf, least_free: f64) -> Self {
        Self {
            dir,
            least_free,
            began: Instant::now(),
            next_look: AtomicU64::new(0),
            low: AtomicBool::new(false),
        }
    }

    /// Whether less is free than has to be, looked at no more than once a second.
    pub(super) fn low(&self) -> bool {
        let now = self.began.elapsed();
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let due = self.next_look.load(Ordering::Relaxed);
        if millis(now) >= due
            && self
                .next_look
                .compare_exchange(due, millis(now + FRESH), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
            && let Ok(disk) = rustix::fs::statvfs(&self.dir)
        {
            let free = disk.f_bavail as f64 / (disk.f_blocks.max(1)) as f64;
            self.low.store(free < self.least_free, Ordering::Relaxed);
        }
        self.low.load(Ordering::Relaxed)
    }
}
