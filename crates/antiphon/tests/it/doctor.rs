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

/// Changes what is stored of the secret of the seed's app. Other sealed values are longer, or shorter.
fn tamper(home: &Home, change: impl Fn(&mut [u8])) {
    let file = home.data().join("antiphon.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let text = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_:".contains(byte);
    let starts = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"sealed-1:"));
    let length = |at: usize| bytes[at..].iter().take_while(text).count();
    let secrets: Vec<usize> = starts.filter(|at| (71..100).contains(&length(*at))).collect();
    assert!(!secrets.is_empty());
    secrets.into_iter().for_each(|at| change(&mut bytes[at..at + 71]));
    std::fs::write(&file, bytes).unwrap();
}

/// Makes another letter or digit of one; done twice, it is as it was.
fn tear(secret: &mut [u8]) {
    let stays = |c: u8| c.is_ascii_alphanumeric() && (c ^ 1).is_ascii_alphanumeric();
    let at = (9..secret.len()).find(|at| stays(secret[*at])).unwrap();
    secret[at] ^= 1;
}

/// What is found, whether or not a server runs: it is the same.
async fn found(home: &Home) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    for online in [true, false] {
        let server = if online { Some(home.program(BINARY).start().await.unwrap()) } else { None };
        let (fine, report) = report(home, &[]).await;
        let findings = report["findings"].as_array().unwrap().clone();
        assert!(fine == findings.is_empty(), "{report}");
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
        seen.push(findings.iter().map(|one| (text(one, "check"), text(one, "message"))).collect::<Vec<_>>());
        if let Some(server) = server {
            server.stop().await.unwrap();
        }
    }
    assert_eq!(seen[0], seen[1]);
    seen.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_and_what_seals_it_is_looked_at() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::embedded();
    seed(&home, 1).await.unwrap();
    assert_eq!(found(&home).await, []);
    let key = home.data().join("secret.key");
    let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let open = found(&home).await;
    assert!(open.len() == 1 && open[0].0 == "keyFile" && open[0].1.contains("`chmod 600`"), "{open:?}");
    mode(0o600);

    tamper(&home, tear);
    let torn = found(&home).await;
    assert!(torn.len() == 1 && torn[0].0 == "sealed", "{torn:?}");
    assert!(torn[0].1.contains("of app 1 does not open; stop every server and run `antiphon key replace`"));
    tamper(&home, tear);
    assert_eq!(found(&home).await, []);
    tamper(&home, |secret| secret[0] = b'S');
    let clear = found(&home).await;
    assert!(clear.len() == 1 && clear[0].0 == "sealed", "{clear:?}");
    assert!(clear[0].1.starts_with("the client secret of app 1 is stored in clear; "), "{clear:?}");
    // What is advised helps.
    let replace = [home.data().display().to_string(), "key".into(), "replace".into()];
    let replaced = Command::new(BINARY).arg("--data-dir").args(replace).output().unwrap();
    assert!(replaced.status.success(), "{}", String::from_utf8_lossy(&replaced.stderr));
    assert_eq!(found(&home).await, []);

    // Another key: the server that runs goes on, and the next does not start.
    let server = home.program(BINARY).start().await.unwrap();
    let own = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    antiphon_store::MasterKey::fresh().unwrap().write(&key).unwrap();
    let (fine, online) = report(&home, &[]).await;
    assert!(!fine && online["findings"][0]["check"] == "key", "{online}");
    server.stop().await.unwrap();
    let (fine, stopped) = report(&home, &[]).await;
    let status = stopped["status"].as_str().unwrap();
    assert!(!fine && status.contains("was sealed with another master key") && status.contains("use that of"));
    std::fs::write(&key, own).unwrap();
    assert_eq!(found(&home).await, []);
}
