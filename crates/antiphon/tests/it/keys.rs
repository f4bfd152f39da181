//! The server's own keys: shown, rotated, and replaced on the command line.

use std::process::{Command, Output};
use std::time::Duration;

use antiphon::keys::{OVERLAP, Purpose};
use antiphon_testkit::{Home, TestServer};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_antiphon");
const KEYS: &str = "/antiphon/v1/keys";

#[tokio::test]
async fn a_rotated_key_ends_in_its_time_and_says_so() {
    let server = TestServer::start().await;
    let operator = server.operator();
    let listed = operator.get(KEYS).await.expect(200).json();
    assert_eq!(listed["results"][0]["signs"], true);
    let signed = server.app().keys.sign(Purpose::Session, b"somebody").unwrap();
    let good = || server.app().keys.verify(Purpose::Session, b"somebody", signed.key, &signed.mac);

    let made = operator.post(&format!("{KEYS}/rotate"), json!({ "overlapSeconds": 60 })).await;
    let made = made.expect(201).json();
    assert_eq!((&made["signs"], made.get("endsAt")), (&json!(false), None));
    assert_eq!(operator.get(KEYS).await.expect(200).json()["results"].as_array().unwrap().len(), 2);
    assert_eq!(
        server.app().keys.sign(Purpose::Session, b"x").unwrap().key,
        signed.key,
        "not every node knows it"
    );
    server.advance(Duration::from_secs(20));
    server.app().keys.refresh(&server.app().store).await.unwrap();
    assert_ne!(server.app().keys.sign(Purpose::Session, b"x").unwrap().key, signed.key);
    assert!(good());
    server.advance(Duration::from_secs(40));
    server.app().keys.refresh(&server.app().store).await.unwrap();
    assert!(!good());
    let listed = operator.get(KEYS).await.expect(200).json();
    assert_eq!(listed["results"].as_array().unwrap().len(), 1);
    assert_eq!((&listed["results"][0]["id"], &listed["results"][0]["signs"]), (&made["id"], &json!(true)));

    let now = server.app().keys.sign(Purpose::Session, b"x").unwrap();
    operator.post(&format!("{KEYS}/rotate"), json!({ "atOnce": true })).await.expect(201);
    assert!(!server.app().keys.verify(Purpose::Session, b"x", now.key, &now.mac));
    for (body, named) in [
        (json!({ "atOnce": true, "overlapSeconds": 5 }), "atOnce"),
        (json!({ "overlapSeconds": -1 }), "overlapSeconds"),
        (json!({ "overlapSeconds": OVERLAP / 1000 + 1 }), "overlapSeconds"),
    ] {
        let refused = operator.post(&format!("{KEYS}/rotate"), body).await.expect(400).json();
        assert_eq!(refused["errors"][0]["in"], named, "{refused}");
    }
}

async fn run(home: &Home, arguments: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--data-dir").arg(home.data()).args(["--store", &home.store()]);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

async fn done(home: &Home, arguments: &[&str]) -> Value {
    let output = run(home, &[arguments, &["--json"]].concat()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_replaced_and_a_lost_one_costs_fresh_secrets() {
    let home = Home::new();
    done(&home, &["portal", "create", "Acme"]).await;
    let app = done(&home, &["app", "create", "Relay"]).await;
    let file = home.data().join("secret.key");
    let before = std::fs::read(&file).unwrap();
    let replaced = done(&home, &["key", "replace"]).await;
    assert_eq!(replaced["freshSecrets"], json!([]));
    assert_ne!(std::fs::read(&file).unwrap(), before);
    assert_eq!(done(&home, &["key", "list"]).await["results"].as_array().unwrap().len(), 1);

    std::fs::remove_file(&file).unwrap();
    let refused = String::from_utf8(run(&home, &["app", "list"]).await.stderr).unwrap();
    assert!(
        refused.contains("secret.key is not there") && refused.contains("antiphon key replace"),
        "{refused}"
    );
    let replaced = done(&home, &["key", "replace"]).await;
    let [fresh] = &replaced["freshSecrets"].as_array().unwrap()[..] else { panic!("{replaced}") };
    assert_eq!(fresh["id"].to_string(), app["id"].as_str().unwrap());
    assert_ne!(fresh["clientSecret"], app["clientSecret"]);
    done(&home, &["app", "list"]).await;

    let server = home.program(BINARY).env("ANTIPHON_SECRETS__KEY", "").start().await.unwrap();
    let refused = String::from_utf8(run(&home, &["key", "replace"]).await.stderr).unwrap();
    assert!(refused.contains("stop every server"), "{refused}");
    done(&home, &["key", "rotate"]).await;
    assert_eq!(done(&home, &["key", "list"]).await["results"].as_array().unwrap().len(), 2);
    assert!(server.stop().await.unwrap().success());
}
