//! `antiphon health`: what a container asks, which has no other program to ask with.

use std::net::TcpListener;
use std::process::{Command, Output};

use antiphon_testkit::{Home, Program};

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");

async fn health(program: &Program, listen: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["health", "--data-dir"]).arg(&program.data_dir);
    command.env("ANTIPHON_LISTEN", listen).envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_well_while_it_serves_and_only_then() {
    let home = Home::new();
    let program = home.program(BINARY);
    let listen = program.address.to_string();
    let server = program.start().await.unwrap();
    // As in a container, which listens on every address.
    let any = format!("0.0.0.0:{}", program.address.port());
    for listen in [&listen, &any] {
        let output = health(&program, listen, &[]).await;
        assert!(output.status.success(), "{}", said(&output));
    }
    assert!(server.stop().await.unwrap().success());
    let output = health(&program, &listen, &[]).await;
    assert!(!output.status.success());
    assert!(said(&output).contains("nobody answers at"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tls_the_control_socket_is_asked() {
    let home = Home::new();
    let program = home.program(BINARY);
    let server = program.start().await.unwrap();
    let tls = [("ANTIPHON_TLS__CERTIFICATE", "/a.pem"), ("ANTIPHON_TLS__KEY", "/a.key")];
    let output = health(&program, "127.0.0.1:1", &tls).await;
    assert!(output.status.success(), "{}", said(&output));
    assert!(server.stop().await.unwrap().success());
    assert!(!health(&program, "127.0.0.1:1", &tls).await.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_not_well() {
    let home = Home::new();
    let program = home.program(BINARY);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = health(&program, &silent.local_addr().unwrap().to_string(), &[]).await;
    assert!(!output.status.success());
    assert!(said(&output).contains("did not answer within 5 s"), "{}", said(&output));
}
