//! L1 alone, for whoever works on the layout: batches of several sizes on a small and on a large store.

use anyhow::Result;

use super::{compared, large, small};
use crate::Bench;
use crate::limits::{database, writes::Writer};
use crate::report::{Report, median};
use crate::server::copy_dir;

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut stores = Vec::new();
    for recipe in [small(), large()] {
        let dir = copy_dir(
            &recipe.seeded(&bench.root)?,
            &bench.root.join("run").join(format!("limits-{}", recipe.name)),
        )?;
        stores.push(Writer::open(&database(&dir)?)?);
    }
    for batch in [1, 16, 64, 128, 256] {
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..bench.rounds {
            for (store, rates) in stores.iter_mut().zip(&mut rates) {
                rates.push(store.run(batch, bench.turn)?);
            }
        }
        let [few, many] = rates.map(median);
        report.add(compared(
            format!("L1 in batches of {batch}, 1 million against 10 thousand messages"),
            many,
            few,
            None,
        ));
    }
    Ok(())
}
