//! Apps and their secrets: shared keys, and rotation with an overlap, by API and by command line.

use std::process::{Command, Output};
use std::time::Duration;

use antiphon_testkit::Home;
use serde_json::{Value, json};

use crate::kit::{Desk, at, text};

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");

const DAY: i64 = 86_400_000;

async fn rotate(desk: &Desk, app: &str, what: &str, body: Value) -> Value {
    let path = format!("/antiphon/v1/apps/{app}/{what}/rotate");
    desk.user.post(&path, body).await.expect(200).json()
}

#[tokio::test]
async fn a_secret_is_replaced_and_the_old_one_works_for_a_day() {
    let desk = Desk::open().await;
    let made = desk.make("apps", json!({ "name": "Exporter" })).await;
    let app = text(&made, "id");
    let path = format!("/antiphon/v1/apps/{app}");
    let seen = desk.user.get(&path).await.expect(200).json();
    assert_eq!(
        seen,
        json!({ "id": app, "name": "Exporter", "active": true, "createdAt": made["createdAt"] }),
        "secrets are shown once"
    );

    let rotated = rotate(&desk, &app, "client-secret", json!({})).await;
    let fresh = text(&rotated, "clientSecret");
    assert_ne!(fresh, text(&made, "clientSecret"));
    assert_eq!(rotated["oldClientSecretUntil"], at(DAY));
    assert_eq!((rotated.get("developerKey"), rotated.get("oldDeveloperKeyUntil")), (None, None));
    let seen = desk.user.get(&path).await.expect(200);
    assert_eq!(seen.json()["oldClientSecretUntil"], at(DAY));
    assert!(!seen.text().contains(&fresh));
    desk.server.advance(Duration::from_millis(DAY as u64));
    assert_eq!(desk.user.get(&path).await.expect(200).json().get("oldClientSecretUntil"), None);

    let rotated = rotate(&desk, &app, "client-secret", json!({ "overlapSeconds": 60 })).await;
    assert_eq!(rotated["oldClientSecretUntil"], at(DAY + 60_000));
    let rotated = rotate(&desk, &app, "client-secret", json!({ "atOnce": true })).await;
    assert_eq!(rotated["oldClientSecretUntil"], at(DAY), "the answer says that it ended");
    assert_eq!(desk.user.get(&path).await.expect(200).json().get("oldClientSecretUntil"), None);
    let path = format!("{path}/client-secret/rotate");
    let refused = desk.user.post(&path, json!({ "overlapSeconds": 9_999_999 })).await.expect(400);
    assert_eq!(refused.problems(), ["overlapSeconds"]);
    desk.user.send("POST", &path, "").await.expect(200);
}

#[tokio::test]
async fn apps_share_a_key_through_its_rotation() {
    let desk = Desk::open().await;
    let first = desk.make("apps", json!({ "name": "First" })).await;
    let key = text(&first, "developerKey");
    let second = desk.make("apps", json!({ "name": "Second", "developerKey": key })).await;
    assert_eq!(second["developerKey"], json!(key));
    assert_eq!(second["sharesKeyWith"], json!([first["id"]]));
    assert_ne!(second["clientSecret"], first["clientSecret"]);

    let rotated = rotate(&desk, &text(&first, "id"), "developer-key", json!({})).await;
    assert_eq!(rotated["sharesKeyWith"], json!([second["id"]]));
    assert_eq!(rotated["oldDeveloperKeyUntil"], at(DAY));
    let seen = desk.user.get(&format!("/antiphon/v1/apps/{}", text(&second, "id"))).await.expect(200).json();
    assert_eq!(
        (&seen["sharesKeyWith"], &seen["oldDeveloperKeyUntil"]),
        (&json!([first["id"]]), &json!(at(DAY)))
    );
    let third = json!({ "name": "Third", "developerKey": rotated["developerKey"] });
    assert_eq!(desk.make("apps", third).await["sharesKeyWith"], json!([first["id"], second["id"]]));

    // The old key still opens, but nothing new is built on it; nor on one that was made up, or is another account's.
    let other = Desk::on(&desk.server).await;
    let foreign = text(&other.make("apps", json!({ "name": "Other" })).await, "developerKey");
    for key in [key, "easy".into(), String::new(), foreign] {
        let body = json!({ "name": "Fourth", "developerKey": key });
        let refused = desk.user.post("/antiphon/v1/apps", body).await.expect(400);
        assert_eq!(refused.problems(), ["developerKey"]);
    }
}

async fn run(home: &Home, more: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["app", "--data-dir"]).arg(home.data()).args(["--store", &home.store()]).args(more);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_rotates_beside_a_server_and_without_one() {
    let home = Home::new();
    let server = home.program(BINARY).arg("--demo").start().await.unwrap();
    let app = async |more: &[&str]| -> Value {
        let output = run(&home, &[more, &["--portal", "1", "--json"]].concat()).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let made = app(&["create", "Exporter", "--developer-key", "key-demo-antiphon"]).await;
    assert_eq!(
        (&made["developerKey"], &made["sharesKeyWith"]),
        (&json!("key-demo-antiphon"), &json!(["4410"]))
    );
    let id = text(&made, "id");
    let rotated = app(&["rotate-secret", &id, "--overlap", "90m"]).await;
    assert_ne!(rotated["clientSecret"], made["clientSecret"]);
    assert!(rotated["oldClientSecretUntil"].is_string(), "{rotated}");
    assert!(server.stop().await.unwrap().success());

    let rotated = app(&["rotate-key", &id, "--now"]).await;
    assert_eq!((&rotated["sharesKeyWith"], rotated.get("clientSecret")), (&json!(["4410"]), None));
    let shown = app(&["show", &id]).await;
    assert!(
        shown["oldClientSecretUntil"].is_string() && shown.get("oldDeveloperKeyUntil").is_none(),
        "{shown}"
    );
    assert_eq!(shown.get("developerKey"), None);
    let text = run(&home, &["rotate-secret", &id, "--portal", "1"]).await;
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("\nclientSecret ") && text.contains("\noldClientSecretUntil "), "{text}");
    for wrong in [&["--overlap", "1h", "--now"][..], &["--overlap", "soon"], &["--overlap", "9999h"]] {
        let refused = run(&home, &[&["rotate-secret", &id, "--portal", "1"], wrong].concat()).await;
        assert!(!refused.status.success(), "{wrong:?}");
    }
}
