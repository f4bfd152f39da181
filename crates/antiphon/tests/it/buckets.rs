//! Where bytes are kept makes no difference: one walk through a file's life, in a directory and in a bucket that speaks S3.

use std::time::Duration;

use antiphon_testkit::{Reaction, TestReceiver, TestServer};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use serde_json::{Value, json};

use crate::files::{finished, form_of_bytes, local, png, send_raw};
use crate::kit::{Desk, text};

const BUCKET: &str = "antiphon";

/// A server of buckets with an empty one, in a directory; its address.
async fn buckets(root: &std::path::Path) -> String {
    std::fs::create_dir_all(root.join(BUCKET)).unwrap();
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
    service.set_auth(SimpleAuth::from_single("key", "secret"));
    let service = service.build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // Whoever hangs up has what it wanted.
                server.serve_connection(TokioIo::new(stream), service).await.ok();
            });
        }
    });
    format!("http://{address}")
}

/// Objects that are not what the server of buckets keeps for itself.
fn objects(directory: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let count = entries.map(|entry| match entry.path().is_dir() {
        true => objects(&entry.path()),
        false => usize::from(!entry.file_name().to_string_lossy().starts_with('.')),
    });
    count.sum()
}

async fn life(desk: &Desk, kept: &std::path::Path) {
    let path = "/files/v3/files";
    let upload = async |name: &str, bytes: &[u8]| -> Value {
        let body = form_of_bytes(&[("file", name, bytes)]);
        send_raw(&desk.user, "POST", path, body).await.expect(201).json()
    };
    // More than a part, so that it is put together of several; and what fits one.
    let large: Vec<u8> = (0..17_000_000_u32).map(|n| (n / 7 % 251) as u8).collect();
    let (film, picture) = (upload("film.mp4", &large).await, upload("a.png", &png(300, 200)).await);
    let twin = upload("twin.mp4", &large).await;
    assert_eq!(film["fileMd5"], twin["fileMd5"]);
    assert_eq!(objects(kept), 2, "the same bytes are kept once");
    let id = text(&film, "id");
    let whole = desk.user.get(&format!("{path}/{id}/download")).await.expect(200);
    assert!(whole.body == large);
    let signed = desk.user.get(&format!("{path}/{id}/signed-url")).await.expect(200).json();
    let part = desk.server.anybody().with("range", "bytes=16999990-").get(&local(&signed["url"])).await;
    assert_eq!(part.expect(206).body[..], large[16_999_990..]);
    let small = format!("{path}/{}/signed-url?size=thumb", text(&picture, "id"));
    let small = desk.user.get(&small).await.expect(200).json();
    for _ in 0..2 {
        let read = desk.server.anybody().get(&local(&small["url"])).await.expect(200);
        assert_eq!(image::load_from_memory(&read.body).unwrap().width(), 128);
    }
    assert_eq!(objects(kept), 3, "and the scaled picture");
    let broken = form_of_bytes(&[("file", "b.bin", &large)]);
    send_raw(&desk.user, "POST", path, broken[..broken.len() / 2].to_vec()).await.expect(400);
    let missing = antiphon::files::sweep::missing(desk.server.app()).await.unwrap();
    assert_eq!(missing, Vec::<String>::new());
    for file in [&film, &twin, &picture] {
        desk.user.delete(&format!("{path}/{}/gdpr-delete", text(file, "id"))).await.expect(204);
    }
    assert_eq!(objects(kept), 0, "erased at once");
    broken_off(desk, kept, &large).await;
    timely(desk, kept).await;
}

/// What does not come to its end leaves nothing, whether it was sent or fetched, and however far it came.
async fn broken_off(desk: &Desk, kept: &std::path::Path, large: &[u8]) {
    let source = TestReceiver::start().await;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", large.len());
    for sent in [0, 100, large.len() - 1, large.len()] {
        let answer = [head.as_bytes(), &large[..sent]].concat();
        source.react(move |_| Reaction::raw(answer.clone()).then_close());
        let body = json!({ "url": source.url("/film.mp4") });
        let task = desk.user.post("/files/v3/files/import-from-url/async", body).await.expect(202).json();
        let done = finished(desk, &task).await;
        let whole = sent == large.len();
        assert_eq!(done.get("result").is_some(), whole, "{sent}: {done}");
        assert_eq!(objects(kept), usize::from(whole), "{sent}");
        if whole {
            let erase = format!("/files/v3/files/{}/gdpr-delete", text(&done["result"], "id"));
            desk.user.delete(&erase).await.expect(204);
        }
    }
    let form = form_of_bytes(&[("file", "b.bin", large), ("options", "", b"no JSON")]);
    for end in [form.len() - 60, form.len()] {
        send_raw(&desk.user, "POST", "/files/v3/files", form[..end].to_vec()).await.expect(400);
        assert_eq!(objects(kept), 0, "{end}");
    }
}

/// Other bytes take the place of what a file had; once its time has come they all go, each in its turn.
async fn timely(desk: &Desk, kept: &std::path::Path) {
    let sweep = async || {
        antiphon::jobs::run_due(desk.server.app(), desk.server.now()).await.unwrap();
        objects(kept)
    };
    let (day, path) = (Duration::from_secs(24 * 60 * 60), "/files/v3/files");
    let parts: [(&str, &str, &[u8]); 2] = [("file", "a.txt", b"one"), ("options", "", br#"{"ttl":"P1D"}"#)];
    let made = send_raw(&desk.user, "POST", path, form_of_bytes(&parts)).await.expect(201).json();
    let path = format!("{path}/{}", text(&made, "id"));
    send_raw(&desk.user, "PUT", &path, form_of_bytes(&[("file", "b.txt", b"two")])).await.expect(200);
    let read = async || desk.user.get(&format!("{path}/download")).await;
    assert_eq!((read().await.expect(200).text(), sweep().await), ("two".into(), 2));
    desk.server.advance(day / 2);
    assert_eq!((read().await.expect(200).text(), sweep().await), ("two".into(), 2));
    desk.server.advance(day);
    assert_eq!(
        (read().await.expect(404).status, sweep().await),
        (404, 1),
        "the first bytes were nobody's for a day"
    );
    desk.server.advance(31 * day);
    assert_eq!(sweep().await, 1, "they had the file's time, and now have their own");
    desk.server.advance(2 * day);
    assert_eq!(sweep().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_lives_in_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("file://{}", directory.path().display());
    let server = TestServer::configured(|config| config.files.url = url).await;
    life(&Desk::on(&server).await, directory.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_lives_in_a_bucket() {
    let directory = tempfile::tempdir().unwrap();
    let endpoint = buckets(directory.path()).await;
    let server = TestServer::configured(|config| {
        config.files.url = format!("s3://{BUCKET}/some/prefix");
        config.files.endpoint = endpoint;
        (config.files.access_key_id, config.files.secret_access_key) = ("key".into(), "secret".into());
    })
    .await;
    life(&Desk::on(&server).await, &directory.path().join(BUCKET)).await;
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let desk = Desk::open().await;
    let body = form_of_bytes(&[("file", "a.txt", b"x")]);
    let file = send_raw(&desk.user, "POST", "/files/v3/files", body).await.expect(201).json();
    let kept = desk.server.app().config.data_dir.join("files");
    std::fs::remove_dir_all(&kept).unwrap();
    let report = desk.portal.operator().post("/antiphon/v1/checks", json!({})).await.expect(200).json();
    assert_eq!(report["findings"][0]["check"], "bytes", "{report}");
    assert!(text(&report["findings"][0], "message").ends_with("from its backup"));
    let id = text(&file, "id");
    desk.user.get(&format!("/files/v3/files/{id}/download")).await.expect(404);
}
