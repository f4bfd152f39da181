//! How soon the first answer comes, and how much memory waiting takes.

use anyhow::Result;

use super::{large, milliseconds};
use crate::Bench;
use crate::report::{Line, Mark, Report, Unit, median};
use crate::seed::Recipe;
use crate::server::{Server, copy_dir};

pub fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    for (recipe, what, mark) in
        [(Recipe::empty(), "an empty store", 50.0), (large(), "1 million messages", 100.0)]
    {
        let dir = copy_dir(
            &recipe.seeded(&bench.root)?,
            &bench.root.join("run").join(format!("start-{}", recipe.name)),
        )?;
        let mut times = Vec::new();
        let mut memory = Vec::new();
        for _ in 0..bench.rounds + 2 {
            let server = Server::antiphon(&bench.server, &dir)?;
            times.push(server.first_answer.as_secs_f64() * 1000.0);
            std::thread::sleep(std::time::Duration::from_millis(200));
            memory.push(server.memory()?.resident);
            server.stop()?;
        }
        let time = median(times);
        report.add(Line {
            what: format!("first answer on {what}"),
            ours: milliseconds(time),
            theirs: "–".into(),
            figure: time,
            unit: Unit::Milliseconds,
            goal: Some(Mark::AtMost(mark)),
        });
        let memory = median(memory);
        report.add(Line {
            what: format!("resident memory, idle on {what}"),
            ours: Unit::Megabytes.show(memory),
            theirs: "–".into(),
            figure: memory,
            unit: Unit::Megabytes,
            goal: Some(Mark::AtMost(30.0)),
        });
    }
    Ok(())
}
