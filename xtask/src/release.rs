//! The release build as the container image has it: one static file, tried on an empty root.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::run::{cargo, command, finish, output, target};
use crate::ui;

/// The most the program may weigh, which is all there is to the image.
const MOST_BYTES: u64 = 40_000_000;

pub fn run() -> Result<()> {
    ui::run()?;
    finish(cargo(&[
        "build",
        "--quiet",
        "--config",
        "deploy/static.toml",
        "--release",
        "--package",
        "antiphon",
    ]))?;
    let rustc = output(command("rustc", &["--version", "--verbose"]))?;
    let rustc = String::from_utf8(rustc)?;
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let program = target().join(host).join("release").join("antiphon");
    let size = fs::metadata(&program)?.len();
    println!("target/{host}/release/antiphon: {:.1} MB", size as f64 / 1e6);
    ensure!(size <= MOST_BYTES, "the program is larger than {:.0} MB", MOST_BYTES as f64 / 1e6);
    if cfg!(target_os = "linux") { stands_alone(&program) } else { Ok(()) }
}

/// Serves from a root that holds nothing but the program and the names of hosts, as a user without rights. Whatever it would
/// need of a system is missed here, a device and a shared library alike.
fn stands_alone(program: &Path) -> Result<()> {
    let root = target().join("empty-root");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    fs::create_dir_all(root.join("etc"))?;
    fs::create_dir_all(root.join("data"))?;
    fs::copy(program, root.join("antiphon"))?;
    fs::write(root.join("etc/hosts"), "127.0.0.1 node.test\n")?;
    let mut serve = command("unshare", &["--map-user=65532", "--map-group=65532", "--wd=/"]);
    serve.arg("--root").arg(&root);
    serve.args(["/antiphon", "serve", "--json", "--listen", "node.test:0", "--data-dir", "/data", "--demo"]);
    let mut server = Served(serve.stdout(Stdio::piped()).spawn().context("unshare cannot be started")?);
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().context("it has no output")?).read_line(&mut line)?;
    let told: Value = serde_json::from_str(&line).context("the program does not serve on an empty root")?;
    let address = told["url"].as_str().unwrap_or_default().trim_start_matches("http://");
    let ask = |arguments: &[&str]| -> Result<()> {
        let mut ask = command(program, arguments);
        ask.arg("--data-dir").arg(root.join("data")).stdout(Stdio::null());
        finish(ask)
    };
    ask(&["health", "--listen", address])?;
    // Names, times of its zone and chance.
    ask(&["portal", "create", "Example Ltd", "--time-zone", "Europe/Berlin"])?;
    ask(&["token", "create", "Our integration", "--portal", "1"])?;
    // What people see is in it.
    for (path, said) in
        [("/inbox/", "/inbox/assets/"), ("/1.js", "HubSpotConversations"), ("/demo/", "/1.js")]
    {
        let page = got(address, path)?;
        ensure!(
            page.starts_with("HTTP/1.1 200 ") && page.contains(said),
            "{path} is not what it should be:\n{page}"
        );
    }
    println!("it serves at {address} from an empty root");
    Ok(())
}

/// Asks for a page, and returns the whole answer.
fn got(address: &str, path: &str) -> Result<String> {
    let mut socket = TcpStream::connect(address).with_context(|| format!("nobody listens at {address}"))?;
    write!(socket, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}

/// A process that does not outlive its step.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
