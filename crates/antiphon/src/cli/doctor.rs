//! `antiphon doctor`

use serde_json::{Value, json};

use super::operator::Operator;
use super::{Common, block_on};
use crate::config::Config;

pub fn run(common: &Common) -> anyhow::Result<()> {
    let config = common.load()?;
    let report = block_on(examined(&config))?;
    if common.json {
        println!("{report}");
    } else {
        for (name, value) in report.as_object().into_iter().flatten() {
            match value {
                Value::String(text) => println!("{name:<14} {text}"),
                value => println!("{name:<14} {value}"),
            }
        }
    }
    match report["status"].as_str() {
        Some("ok") => Ok(()),
        _ => anyhow::bail!("something needs attention: {}", report["status"].as_str().unwrap_or_default()),
    }
}

/// Everything worth knowing. A store that cannot be opened is an answer, not a failure.
async fn examined(config: &Config) -> anyhow::Result<Value> {
    let mut report = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "dataDir": config.data_dir,
        "listen": config.listen,
        "limits": config.limits.enabled,
    });
    if let Ok(disk) = rustix::fs::statvfs(existing(&config.data_dir)) {
        report["diskFree"] = format!("{} %", disk.f_bavail * 100 / disk.f_blocks.max(1)).into();
    }
    if !config.data_dir.exists() {
        // Looking must not make one.
        report["store"] = "none yet; the first start makes one".into();
        return Ok(report);
    }
    match Operator::connect(config).await {
        Err(error) => report["status"] = error.to_string().into(),
        Ok(operator) => {
            report["server"] = if operator.is_running() { "running" } else { "stopped" }.into();
            match operator.call("GET", "/antiphon/v1/status", None, None).await {
                Ok(status) => report["store"] = status,
                Err(error) => report["status"] = error.to_string().into(),
            }
            operator.close().await;
        }
    }
    Ok(report)
}

/// The directory, or the one it would be made in.
fn existing(directory: &std::path::Path) -> &std::path::Path {
    directory.ancestors().find(|d| d.is_dir()).unwrap_or(std::path::Path::new("."))
}
