//! What was found: goals with what was measured beside them, as a table on the terminal and as `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::Result;

/// Which side of the mark is the good one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    AtLeast(f64),
    AtMost(f64),
    Exactly(f64),
}

/// One line of the report.
pub struct Line {
    pub what: String,
    /// What Antiphon did, with its unit.
    pub ours: String,
    /// What it is compared with, with its unit.
    pub theirs: String,
    /// The figure the goal speaks of.
    pub figure: f64,
    pub unit: Unit,
    /// `None`: reported for orientation.
    pub goal: Option<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A ratio near or below one.
    Percent,
    /// A ratio.
    Times,
    Milliseconds,
    Megabytes,
    Count,
}

impl Unit {
    pub fn show(self, figure: f64) -> String {
        match self {
            Self::Percent => format!("{:.0} %", figure * 100.0),
            Self::Times if figure >= 10.0 => format!("{figure:.0} ×"),
            Self::Times => format!("{figure:.2} ×"),
            Self::Milliseconds => format!("{figure:.1} ms"),
            Self::Megabytes => format!("{figure:.1} MB"),
            Self::Count => format!("{figure:.3}"),
        }
    }
}

impl Line {
    fn goal(&self) -> String {
        match self.goal {
            None => "–".into(),
            Some(Mark::AtLeast(mark)) => format!("≥ {}", self.unit.show(mark)),
            Some(Mark::AtMost(mark)) => format!("≤ {}", self.unit.show(mark)),
            Some(Mark::Exactly(mark)) => format!("= {}", self.unit.show(mark)),
        }
    }

    /// Whether the goal was met, if there is one.
    pub fn met(&self) -> Option<bool> {
        Some(match self.goal? {
            Mark::AtLeast(mark) => self.figure >= mark,
            Mark::AtMost(mark) => self.figure <= mark,
            Mark::Exactly(mark) => (self.figure - mark).abs() < 1e-9,
        })
    }

    fn verdict(&self) -> &'static str {
        match self.met() {
            None => "",
            Some(true) => "met",
            Some(false) => "missed",
        }
    }
}

/// Everything that was found in one run.
#[derive(Default)]
pub struct Report {
    pub lines: Vec<Line>,
    /// What was left out, and why. Nothing is left out silently.
    pub skipped: Vec<String>,
}

impl Report {
    pub fn add(&mut self, line: Line) {
        progress(&format!(
            "{}: {} against {} = {} (goal {}) {}",
            line.what,
            line.ours,
            line.theirs,
            line.unit.show(line.figure),
            line.goal(),
            line.verdict()
        ));
        self.lines.push(line);
    }

    pub fn skip(&mut self, why: impl Into<String>) {
        let why = why.into();
        progress(&format!("left out: {why}"));
        self.skipped.push(why);
    }

    /// The table, in Markdown, which reads well on a terminal too.
    pub fn table(&self) -> String {
        let head = ["Measured", "Antiphon", "Beside it", "Result", "Goal", ""].map(String::from);
        let rows = self.lines.iter().map(|line| {
            [
                line.what.clone(),
                line.ours.clone(),
                line.theirs.clone(),
                line.unit.show(line.figure),
                line.goal(),
                line.verdict().into(),
            ]
        });
        let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..6).map(width).collect();
        let mut out = String::new();
        for (n, row) in rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(out, "| {cell:width$} ");
            }
            out.push_str("|\n");
            if n == 0 {
                for width in &widths {
                    let _ = write!(out, "|{}", "-".repeat(width + 2));
                }
                out.push_str("|\n");
            }
        }
        let judged = self.lines.iter().filter_map(Line::met);
        let _ =
            writeln!(out, "\n{} of {} goals met.", judged.clone().filter(|met| *met).count(), judged.count());
        for why in &self.skipped {
            let _ = writeln!(out, "\nLeft out: {why}");
        }
        out
    }

    /// Writes `docs/benchmarks.md`.
    pub fn save(&self, path: &Path, extent: &str) -> Result<()> {
        let mut out = String::from(include_str!("method.md"));
        out.push_str("\n## Machine and versions\n\n");
        for (what, value) in machine() {
            let _ = writeln!(out, "- {what}: {value}");
        }
        let _ = writeln!(out, "- run: {extent}");
        let _ = write!(out, "\n## Results\n\n{}", self.table());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, out)?)
    }
}

fn machine() -> Vec<(&'static str, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .unwrap_or("unknown")
        .to_string();
    let memory = read("/proc/meminfo");
    let memory: f64 = memory.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
    let told = |program: &str, argument: &str| {
        let output = Command::new(program)
            .arg(argument)
            .output()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
        output.unwrap_or_else(|_| "unknown".into())
    };
    vec![
        ("processor", format!("{cpu}, {} cores", crate::load::cores())),
        ("memory", format!("{:.0} GB", memory * 1024.0 / 1e9)),
        ("kernel", read("/proc/sys/kernel/osrelease").trim().to_string()),
        ("compiler", told("rustc", "--version")),
        ("SQLite", rusqlite::version().to_string()),
        (
            "Antiphon",
            format!("{} ({})", env!("CARGO_PKG_VERSION"), told("git", "describe").replace('\n', "")),
        ),
        ("day", jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()),
    ]
}

/// One line about what is going on, on the error stream so that the table can be redirected.
pub fn progress(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = if out.is_terminal() { writeln!(out, "\x1b[2m{text}\x1b[0m") } else { writeln!(out, "{text}") };
}

/// The middle of these figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => figures[n / 2],
        n => (figures[n / 2 - 1] + figures[n / 2]) / 2.0,
    }
}
