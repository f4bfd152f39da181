//! What the disk could do at best: bare appends, each synced.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;

/// Appends 4 KiB and syncs it, over and over; the p99 of one append, in milliseconds.
pub fn append_p99(dir: &Path, time: Duration) -> Result<f64> {
    let path = dir.join("append");
    let mut file = std::fs::File::create(&path)?;
    let block = [7u8; 4096];
    let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)?;
    let until = Instant::now() + time;
    while Instant::now() < until {
        let began = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        latency.saturating_record(began.elapsed().as_nanos() as u64);
    }
    std::fs::remove_file(path)?;
    Ok(latency.value_at_quantile(0.99) as f64 / 1e6)
}
