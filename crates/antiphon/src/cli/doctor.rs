//! `antiphon doctor`

use clap::Args;
use serde_json::{Value, json};

use super::operator::Operator;
use super::{Common, block_on};
use crate::config::Config;

#[derive(Debug, Args)]
pub struct Doctor {
    /// Also compare every index with its table and read every message, which takes longer
    #[arg(long)]
    deep: bool,
}

impl Doctor {
    pub fn run(self, common: &Common) -> anyhow::Result<()> {
        let config = common.load()?;
        let report = block_on(self.examined(&config, common.json))?;
        if common.json {
            println!("{report}");
        } else {
            print(&report);
        }
        match report["status"].as_str() {
            Some("ok") => Ok(()),
            _ => {
                anyhow::bail!("something needs attention: {}", report["status"].as_str().unwrap_or_default())
            }
        }
    }

    /// Everything worth knowing. A store that cannot be opened is an answer, not a failure.
    async fn examined(&self, config: &Config, quiet: bool) -> anyhow::Result<Value> {
        let mut report = json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "dataDir": config.data_dir,
            "listen": config.listen,
            "limits": config.limits.enabled,
        });
        if config.postgres().is_none()
            && let Ok(disk) = rustix::fs::statvfs(existing(&config.data_dir))
        {
            report["diskFree"] = format!("{} %", disk.f_bavail * 100 / disk.f_blocks.max(1)).into();
        }
        let postgres = config.postgres();
        if let Some(at) = &postgres {
            report["database"] = at.shown().into();
        }
        if postgres.is_none() && !config.data_dir.exists() {
            // Looking must not make one.
            report["store"] = "none yet; the first start makes one".into();
            return Ok(report);
        }
        match Operator::connect(config).await {
            Err(error) => report["status"] = error.to_string().into(),
            Ok(operator) => {
                report["server"] = if operator.is_running() { "running" } else { "stopped" }.into();
                if let Err(error) = self.ask(&operator, quiet, &mut report).await {
                    report["status"] = error.to_string().into();
                }
                operator.close().await;
            }
        }
        Ok(report)
    }

    /// What can only be asked once the store is open.
    async fn ask(&self, operator: &Operator, quiet: bool, report: &mut Value) -> anyhow::Result<()> {
        report["store"] = operator.call("GET", "/antiphon/v1/status", None, None).await?;
        let path = "/antiphon/v1/checks";
        let body = json!({ "deep": self.deep });
        let mut made = tokio::select! {
            made = operator.call("POST", path, None, Some(&body)) => made?,
            never = operator.progress(path, quiet) => never,
        };
        report["findings"] = made["findings"].take();
        let findings = report["findings"].as_array().map_or(&[][..], Vec::as_slice);
        if let [first, more @ ..] = findings {
            let first = first["message"].as_str().unwrap_or_default();
            report["status"] = match more.len() {
                0 => first.into(),
                more => format!("{first} ({more} more findings)").into(),
            };
        }
        Ok(())
    }
}

fn print(report: &Value) {
    for (name, value) in report.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => println!("{name:<14} {text}"),
            Value::Array(findings) if findings.is_empty() => println!("{name:<14} none"),
            Value::Array(findings) => {
                let told = |finding: &Value| {
                    println!("{name:<14} {}", finding["message"].as_str().unwrap_or_default())
                };
                findings.iter().for_each(told);
            }
            value => println!("{name:<14} {value}"),
        }
    }
}

/// The directory, or the one it would be made in.
fn existing(directory: &std::path::Path) -> &std::path::Path {
    directory.ancestors().find(|d| d.is_dir()).unwrap_or(std::path::Path::new("."))
}
