//! Certificates for servers that speak TLS.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cluster::finish;

/// For this machine's own names, and for whoever is told to trust it.
const WANTED: &str = "\
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = localhost
[extensions]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1
";

/// A new certificate and its key, in PEM, for `localhost` and 127.0.0.1. It has signed itself, so it is its own root.
/// The `openssl` that makes it comes with Debian's PostgreSQL.
pub fn certificate() -> Result<(String, String)> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path("wanted"), WANTED)?;
    let mut make = Command::new("openssl");
    make.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
    ]);
    make.arg("-config")
        .arg(path("wanted"))
        .arg("-out")
        .arg(path("certificate"))
        .arg("-keyout")
        .arg(path("key"));
    finish(make).context("install openssl")?;
    Ok((fs::read_to_string(path("certificate"))?, fs::read_to_string(path("key"))?))
}
