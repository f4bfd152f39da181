//! `antiphon doctor`, on data as they should be and on data that were damaged, beside a running server and without one.

use std::process::{Command, Output};

use antiphon_testkit::{Home, seed};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");

async fn doctor(home: &Home, more: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.arg("doctor").arg("--data-dir").arg(home.data()).args(["--store", &home.store()]).args(more);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

async fn report(home: &Home, more: &[&str]) -> (bool, Value) {
    let output = doctor(home, &[more, &["--json"]].concat()).await;
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_data_are_fine_whether_or_not_a_server_runs() {
    let home = Home::new();
    if home.database().is_none() {
        assert_eq!(report(&home, &[]).await.1["store"], "none yet; the first start makes one");
    }
    let program = home.program(BINARY).arg("--demo");
    let server = program.start().await.unwrap();
    for more in [&[][..], &["--deep"]] {
        let (fine, report) = report(&home, more).await;
        assert!(fine, "{report}");
        assert_eq!(
            (&report["status"], &report["server"], &report["findings"]),
            (&json!("ok"), &json!("running"), &json!([]))
        );
    }
    assert!(server.stop().await.unwrap().success());
    let (fine, report) = report(&home, &["--deep"]).await;
    assert!(fine && report["server"] == "stopped" && report["findings"] == json!([]), "{report}");
    let text = String::from_utf8(doctor(&home, &[]).await.stdout).unwrap();
    assert!(text.contains("\nfindings       none\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_data_are_told_in_a_sentence_that_says_what_to_do() {
    let home = Home::embedded();
    let thread = seed(&home, 1).await.unwrap().threads.remove(0);
    let program = home.program(BINARY);

    // The end of a message's document.
    let file = home.data().join("antiphon.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let tail = b",\"archived\":";
    let at = bytes.windows(tail.len()).position(|window| window == tail).unwrap();
    bytes[at..at + 4].copy_from_slice(b"oops");
    std::fs::write(&file, bytes).unwrap();

    for online in [true, false] {
        let server = if online { Some(program.start().await.unwrap()) } else { None };
        let (fine, report) = report(&home, &[]).await;
        let what = format!(
            "1 entries of thread {} of portal 1 cannot be read; stop the server, keep a copy of its data directory, and put \
             the newest backup into an empty one with `antiphon restore`",
            thread
        );
        assert!(!fine);
        assert_eq!(report["findings"], json!([{ "check": "documents", "message": what }]));
        assert_eq!(report["status"], json!(what));
        let told = doctor(&home, &[]).await;
        assert_eq!(
            String::from_utf8(told.stderr).unwrap(),
            format!("antiphon: something needs attention: {what}\n")
        );
        drop(server);
    }
}
