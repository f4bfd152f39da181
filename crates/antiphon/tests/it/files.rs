//! Files from the outside: uploaded, read, changed, found, deleted, erased, and attached.

use antiphon::routes::Family;
use antiphon_testkit::{Reply, User};
use serde_json::{Value, json};

use crate::kit::{Desk, text, with};

const V3: &str = "/files/v3";

const BOUNDARY: &str = "----antiphon";

/// A form: each part with a name, the name of a file or nothing, and what is in it.
pub fn form(parts: &[(&str, &str, &str)]) -> Vec<u8> {
    let parts: Vec<_> =
        parts.iter().map(|(name, file, content)| (*name, *file, content.as_bytes())).collect();
    form_of_bytes(&parts)
}

pub fn form_of_bytes(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend(head.as_bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

pub async fn send(user: &User, method: &str, path: &str, parts: &[(&str, &str, &str)]) -> Reply {
    send_raw(user, method, path, form(parts)).await
}

pub async fn send_raw(user: &User, method: &str, path: &str, body: Vec<u8>) -> Reply {
    let user = user.clone().with("content-type", &format!("multipart/form-data; boundary={BOUNDARY}"));
    user.send(method, path, body).await
}

pub async fn upload(desk: &Desk, parts: &[(&str, &str, &str)]) -> Value {
    send(&desk.user, "POST", &format!("{V3}/files"), parts).await.expect(201).json()
}

/// Whether these are operations on files.
pub fn is_one(family: Family) -> bool {
    matches!(family, Family::Files | Family::FileManager | Family::FileBytes)
}

/// What operations on files name.
pub async fn made(desk: &Desk, id: &str) -> Vec<(&'static str, String)> {
    let public = json!({ "access": "PUBLIC_NOT_INDEXABLE" }).to_string();
    let file = upload(desk, &[("options", "", &public), ("file", "a.txt", "Hello")]).await;
    let folder = desk.user.post(&format!("{V3}/folders"), json!({ "name": "Old" })).await.expect(201).json();
    let task = match id {
        "files.import.status" => {
            let body = json!({ "url": "https://127.0.0.1:1/nothing" });
            desk.user.post(&format!("{V3}/files/import-from-url/async"), body).await
        }
        _ => {
            let body = json!({ "id": folder["id"], "name": "Older" });
            desk.user.post(&format!("{V3}/folders/update/async"), body).await
        }
    };
    vec![
        ("fileId", text(&file, "id")),
        ("*folderId", text(&folder, "id")),
        ("*path", "a.txt".into()),
        ("name", "a.txt".into()),
        ("taskId", text(&task.expect(202).json(), "id")),
    ]
}

/// The path and query of an address.
pub fn local(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("http://inbox.test").unwrap().to_owned()
}

async fn read(desk: &Desk, url: &Value) -> Reply {
    desk.server.anybody().get(&local(url)).await
}

/// A picture of one colour.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb([200, 30, 60]))
        .write_to(&mut out, image::ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

#[tokio::test]
async fn what_is_uploaded_is_read_back() {
    let desk = Desk::open().await;
    let parts: [(&str, &str, &[u8]); 4] = [
        ("options", "", br#"{"access":"PRIVATE","ttl":"P1D"}"#),
        ("folderPath", "", b"/chat/2026"),
        ("fileName", "", b"berth-plan"),
        ("file", "C:\\scans\\x.png", &png(90, 64)),
    ];
    for turned in [false, true] {
        let mut parts = parts;
        if turned {
            parts.reverse();
        }
        let path = format!("{V3}/files");
        let reply = send_raw(&desk.user, "POST", &path, form_of_bytes(&parts)).await.expect(201);
        let file = reply.json();
        assert_eq!(reply.header("location").unwrap(), format!("{path}/{}", text(&file, "id")));
        let name = if turned { "berth-plan-1" } else { "berth-plan" };
        for (member, value) in [
            ("name", json!(name)),
            ("extension", json!("png")),
            ("path", json!(format!("/chat/2026/{name}.png"))),
            ("type", json!("IMG")),
            ("encoding", json!("png")),
            ("width", json!(90)),
            ("height", json!(64)),
            ("access", json!("PRIVATE")),
            ("sourceGroup", json!("CONTENT")),
            ("archived", json!(false)),
            ("isUsableInContent", json!(true)),
            ("size", json!(png(90, 64).len())),
            ("expiresAt", json!(desk.server.now() + 86_400_000)),
        ] {
            assert_eq!(file[member], value, "{member}");
        }
        assert_eq!(file["url"], file["defaultHostingUrl"]);
        let again = desk.user.get(&format!("{path}/{}", text(&file, "id"))).await.expect(200).json();
        assert_eq!(again, file);
        let download = desk.user.get(&format!("{path}/{}/download", text(&file, "id"))).await.expect(200);
        assert_eq!(download.body, png(90, 64));
        assert!(download.header("content-disposition").unwrap().starts_with("attachment; filename=\"berth"));
        let at = format!("/files/v3/files/stat/chat/2026/{name}.png");
        assert_eq!(desk.user.get(&at).await.expect(200).json()["file"]["id"], file["id"]);
    }
    let folder = desk.user.get("/files/v3/files/stat/chat/2026").await.expect(200).json();
    assert_eq!(folder["folder"]["path"], "/chat/2026");
    let some = desk.user.get(&format!("{V3}/files/search?properties=name")).await.expect(200).json();
    let members: Vec<_> = some["results"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["access", "archived", "createdAt", "id", "name", "updatedAt"]);
    let legacy =
        send(&desk.user, "POST", "/filemanager/api/v3/files/upload", &[("file", "a.txt", "x")]).await;
    assert!(legacy.expect(200).json()["objects"][0]["id"].is_u64());
}

#[tokio::test]
async fn only_those_who_may_read_a_file() {
    let desk = Desk::open().await;
    let make = async |access: &str| {
        let options = json!({ "access": access }).to_string();
        upload(&desk, &[("file", "a.html", "<script>1</script>"), ("options", "", &options)]).await
    };
    for (access, status, robots) in [
        ("PUBLIC_INDEXABLE", 200, None),
        ("PUBLIC_NOT_INDEXABLE", 200, Some("noindex")),
        ("HIDDEN_INDEXABLE", 200, None),
        ("HIDDEN_NOT_INDEXABLE", 200, Some("noindex")),
        ("PRIVATE", 404, None),
        ("HIDDEN_PRIVATE", 404, None),
        ("SENSITIVE", 404, None),
        ("HIDDEN_SENSITIVE", 404, None),
    ] {
        let file = make(access).await;
        let plain = read(&desk, &file["url"]).await.expect(status);
        assert_eq!(plain.header("x-robots-tag"), robots, "{access}");
        // A token neither helps nor harms.
        let bearing = desk.server.user("nonsense").get(&local(&file["url"])).await;
        assert_eq!(bearing.status, status);
        let signed = format!("{V3}/files/{}/signed-url?expirationSeconds=60", text(&file, "id"));
        let signed = desk.user.get(&signed).await.expect(200).json();
        assert_eq!(signed["extension"], "html");
        let good = read(&desk, &signed["url"]).await.expect(200);
        assert_eq!(good.text(), "<script>1</script>");
        assert_eq!(good.header("x-content-type-options"), Some("nosniff"));
        assert!(good.header("content-security-policy").unwrap().starts_with("sandbox;"));
        assert!(good.header("content-disposition").unwrap().starts_with("attachment;"));
        let url = local(&signed["url"]);
        let (ids, proof) = url.rsplit_once('/').unwrap();
        let renamed = format!("{ids}/another%20name?{}", proof.split_once('?').unwrap().1);
        desk.server.anybody().get(&renamed).await.expect(200);
        if status == 404 {
            let id = text(&file, "id");
            for forged in [
                url.replace("expires=1", "expires=2"),
                url.replace(&format!("/{id}/"), "/999/"),
                url.replace("&key=", "&size=thumb&key="),
                url.replace("signature=", "signature=A"),
                url.replace(&format!("/files/{}/", desk.portal.id), "/files/999/"),
            ] {
                assert_ne!(forged, url);
                desk.server.anybody().get(&forged).await.expect(404);
            }
        }
        desk.server.advance(std::time::Duration::from_secs(61));
        desk.server.anybody().get(&url).await.expect(if status == 404 { 403 } else { 200 });
    }
}

#[tokio::test]
async fn parts_of_bytes_and_what_did_not_change() {
    let desk = Desk::open().await;
    let options = json!({ "access": "PUBLIC_INDEXABLE" }).to_string();
    let file = upload(&desk, &[("options", "", &options), ("file", "a.txt", "0123456789")]).await;
    let path = local(&file["url"]);
    let anybody = desk.server.anybody();
    let whole = anybody.get(&path).await.expect(200);
    assert_eq!(whole.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(whole.header("content-length"), Some("10"));
    let etag = whole.header("etag").unwrap().to_owned();
    let part = anybody.clone().with("range", "bytes=2-4").get(&path).await.expect(206);
    assert_eq!((part.text().as_str(), part.header("content-range")), ("234", Some("bytes 2-4/10")));
    let none = anybody.clone().with("range", "bytes=10-").get(&path).await.expect(416);
    assert_eq!(none.header("content-range"), Some("bytes */10"));
    let same = anybody.clone().with("if-none-match", &etag).get(&path).await.expect(304);
    assert!(same.body.is_empty());
    let head = anybody.send("HEAD", &path, "").await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), (Some("10"), 0));
}

#[tokio::test]
async fn pictures_are_scaled_for_those_who_ask() {
    let desk = Desk::open().await;
    let parts: [(&str, &str, &[u8]); 1] = [("file", "a.png", &png(300, 150))];
    let file = send_raw(&desk.user, "POST", &format!("{V3}/files"), form_of_bytes(&parts)).await;
    let id = text(&file.expect(201).json(), "id");
    for (query, width) in [
        ("size=icon", 32),
        ("size=thumb", 128),
        ("size=preview", 300),
        ("size=preview&upscale=true", 600),
        ("size=medium", 300),
        ("size=medium&upscale=true", 1200),
    ] {
        for _ in 0..2 {
            let signed =
                desk.user.get(&format!("{V3}/files/{id}/signed-url?{query}")).await.expect(200).json();
            let small = read(&desk, &signed["url"]).await.expect(200);
            assert_eq!(image::load_from_memory(&small.body).unwrap().width(), width, "{query}");
        }
    }
    desk.user.get(&format!("{V3}/files/{id}/signed-url?size=huge")).await.expect(400);
    // A head that promises more pixels than anybody has memory for is only bytes.
    let mut bomb = png(1, 1);
    bomb[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    let parts: [(&str, &str, &[u8]); 1] = [("file", "bomb.png", &bomb)];
    let file = send_raw(&desk.user, "POST", &format!("{V3}/files"), form_of_bytes(&parts)).await;
    let id = text(&file.expect(201).json(), "id");
    let signed = desk.user.get(&format!("{V3}/files/{id}/signed-url?size=thumb")).await.expect(200).json();
    assert_eq!(read(&desk, &signed["url"]).await.expect(200).body, bomb);
}

#[tokio::test]
async fn the_same_content_and_the_same_name() {
    let desk = Desk::open().await;
    let send = async |content: &str, options: Value| {
        let options = options.to_string();
        send(
            &desk.user,
            "POST",
            &format!("{V3}/files"),
            &[("file", "a.txt", content), ("options", "", &options)],
        )
        .await
    };
    let first = send("one", json!({})).await.expect(201).json();
    let same =
        send("one", json!({ "duplicateValidationStrategy": "RETURN_EXISTING" })).await.expect(201).json();
    assert_eq!(same["id"], first["id"]);
    let refused = send("one", json!({ "duplicateValidationStrategy": "REJECT" })).await.expect(409);
    assert_eq!(
        (refused.header("x-should-retry"), &refused.json()["category"]),
        (Some("false"), &json!("CONFLICT"))
    );
    let second = send("one", json!({})).await.expect(201).json();
    assert_eq!(second["name"], "a-1");
    assert_eq!(send("two", json!({})).await.expect(201).json()["name"], "a-2");
    let over = send("three", json!({ "overwrite": true })).await.expect(201).json();
    assert_eq!(over["name"], "a");
    assert_ne!(over["id"], first["id"]);
    desk.user.get(&format!("{V3}/files/{}", text(&first, "id"))).await.expect(404);
    let read = desk.user.get(&format!("{V3}/files/{}/download", text(&second, "id"))).await;
    assert_eq!(read.expect(200).text(), "one");
}

#[tokio::test]
async fn what_is_wrong_with_an_upload_is_said() {
    let desk = Desk::open().await;
    let path = format!("{V3}/files");
    let wrong = async |parts: &[(&str, &str, &str)], field: &str| {
        let reply = send(&desk.user, "POST", &path, parts).await.expect(400);
        assert!(reply.problems().iter().any(|problem| problem == field), "{field}: {}", reply.text());
    };
    wrong(&[("fileName", "", "a")], "file").await;
    let file = ("file", "a.txt", "x");
    wrong(&[file, ("folderId", "", "1"), ("folderPath", "", "/a")], "folderPath").await;
    wrong(&[file, ("options", "", "access=PRIVATE")], "options").await;
    wrong(&[file, ("options", "", r#"{"access":"SECRET"}"#)], "options").await;
    wrong(&[file, ("options", "", r#"{"ttl":"P1D","expiresAt":"2030-01-01"}"#)], "ttl").await;
    wrong(&[file, ("options", "", r#"{"ttl":"soon"}"#)], "ttl").await;
    wrong(&[file, ("fileName", "", "../../etc/passwd")], "fileName").await;
    wrong(&[file, ("folderPath", "", "/a/../b")], "folderPath").await;
    wrong(&[file, file], "file").await;
    wrong(&[file, ("folderId", "", "x")], "folderId").await;
    wrong(&[file, ("charsetHunch", "", &"x".repeat(70_000))], "charsetHunch").await;
    send(&desk.user, "POST", &path, &[file, ("folderId", "", "999")]).await.expect(404);
    let whole = form(&[file]);
    send_raw(&desk.user, "POST", &path, whole[..whole.len() - 10].to_vec()).await.expect(400);
    send_raw(&desk.user, "POST", &path, b"no form".to_vec()).await.expect(400);
    desk.user.post(&path, json!({})).await.expect(415);
    let unbound = desk.user.clone().with("content-type", "multipart/form-data");
    unbound.send("POST", &path, whole.clone()).await.expect(400);
    let named =
        send(&desk.user, "POST", &path, &[("file", "../../../etc/passwd", "x")]).await.expect(201).json();
    assert_eq!(named["path"], "/passwd");
    let found = desk.user.get(&format!("{V3}/files/search")).await.expect(200).json();
    assert_eq!(found["results"].as_array().unwrap().len(), 1, "nothing came of the others");
    let reader = desk.portal.user(&["files.read"]).await;
    let refused = send(&reader, "POST", &path, &[file]).await.expect(403).json();
    assert_eq!(refused["category"], "MISSING_SCOPES");
    reader.get(&format!("{path}/{}", text(&named, "id"))).await.expect(200);
    let talker = desk.portal.user(&["conversations.read", "conversations.write"]).await;
    talker.get(&format!("{path}/{}", text(&named, "id"))).await.expect(403);
}

#[tokio::test]
async fn a_file_changes_and_moves() {
    let desk = Desk::open().await;
    let file = upload(&desk, &[("file", "a.txt", "x")]).await;
    upload(&desk, &[("file", "taken.txt", "y")]).await;
    let path = format!("{V3}/files/{}", text(&file, "id"));
    let body = json!({ "name": "b", "access": "PUBLIC_INDEXABLE", "parentFolderPath": "/new/place", "isUsableInContent": false,
                       "expiresAt": "2031-01-01T00:00:00Z" });
    let changed = desk.user.patch(&path, body).await.expect(200).json();
    assert_eq!(changed["path"], "/new/place/b.txt");
    assert_eq!(changed["expiresAt"], 1_924_992_000_000_i64);
    read(&desk, &file["url"]).await.expect(200);
    let cleared = json!({ "clearExpires": true, "parentFolderId": 0 });
    let cleared = desk.user.patch(&path, cleared).await.expect(200).json();
    assert_eq!((cleared.get("expiresAt"), &cleared["path"]), (None, &json!("/b.txt")));
    assert_eq!(desk.user.patch(&path, json!({ "name": "taken" })).await.expect(400).problems(), ["name"]);
    desk.user.patch(&path, json!({ "parentFolderId": "1", "parentFolderPath": "/x" })).await.expect(400);
    let replaced =
        send(&desk.user, "PUT", &path, &[("file", "c.bin", "other bytes")]).await.expect(200).json();
    assert_eq!((&replaced["id"], &replaced["path"]), (&file["id"], &json!("/b.txt")));
    assert_ne!(replaced["fileMd5"], file["fileMd5"]);
    assert_eq!(read(&desk, &file["url"]).await.expect(200).text(), "other bytes");
}

#[tokio::test]
async fn lists_find_files_and_folders() {
    let desk = Desk::open().await;
    for (name, folder) in [("alpha.txt", "/a"), ("beta.csv", "/a/b"), ("Gamma.txt", "/c")] {
        upload(&desk, &[("folderPath", "", folder), ("file", name, name)]).await;
    }
    let hidden = json!({ "access": "HIDDEN_PRIVATE" }).to_string();
    upload(&desk, &[("options", "", &hidden), ("file", "hidden.txt", "x")]).await;
    let names = async |query: &str| -> Vec<String> {
        let found = desk.user.all(&format!("{V3}/files/search?limit=2&{query}")).await;
        found.iter().map(|file| text(file, "name")).collect()
    };
    for (query, found) in [
        ("", &["alpha", "beta", "Gamma"][..]),
        ("sort=-createdAt", &["Gamma", "beta", "alpha"]),
        ("sort=-name", &["beta", "alpha", "Gamma"]),
        ("sort=path", &["alpha", "beta", "Gamma"]),
        ("sort=-path", &["Gamma", "beta", "alpha"]),
        ("sort=-path&path=/a", &["beta", "alpha"]),
        ("sort=path&path=/a/b/beta.csv", &["beta"]),
        ("sort=path&path=/nowhere", &[]),
        ("path=/", &["alpha", "beta", "Gamma"]),
        ("name=AMM", &["Gamma"]),
        ("extension=TXT&sort=size", &["alpha", "Gamma"]),
        ("path=/a", &["alpha", "beta"]),
        ("path=/a/b/beta.csv", &["beta"]),
        ("path=/nowhere", &[]),
        ("type=OTHER", &[]),
        ("type=DOCUMENT&sizeGte=9", &["alpha", "Gamma"]),
        ("allowsAnonymousAccess=true", &[]),
        ("createdAtGte=2100-01-01", &[]),
        ("ids=91&ids=92", &[]),
    ] {
        let mut seen = names(query).await;
        if query.starts_with("extension") || query.starts_with("type") {
            seen.sort_by_key(|name| name.to_lowercase());
        }
        assert_eq!(seen, found, "{query}");
    }
    for (query, field) in [
        ("sort=colour", "sort"),
        ("limit=0", "limit"),
        ("after=x", "after"),
        ("sizeGte=x", "sizeGte"),
        ("type=X", "type"),
    ] {
        let refused = desk.user.get(&format!("{V3}/files/search?{query}")).await.expect(400);
        assert_eq!(refused.problems(), [field]);
    }
    let folders = desk.user.all(&format!("{V3}/folders/search?limit=1&path=/a")).await;
    assert_eq!(folders.iter().map(|folder| text(folder, "path")).collect::<Vec<_>>(), ["/a", "/a/b"]);
    let folders = desk.user.all(&format!("{V3}/folders/search?limit=1&sort=-path&name=B")).await;
    assert_eq!(folders.iter().map(|folder| text(folder, "path")).collect::<Vec<_>>(), ["/a/b"]);
    // Whatever a name is made of, a page ends there and the next goes on.
    upload(
        &desk,
        &[("folderPath", "", &"ü".repeat(127)), ("file", &format!("{}.txt", "ß".repeat(120)), "x")],
    )
    .await;
    upload(&desk, &[("folderPath", "", &"ü".repeat(127)), ("file", "STRASSE.txt", "x")]).await;
    for sort in ["path", "-path", "name", "-name"] {
        let found = desk.user.all(&format!("{V3}/files/search?limit=1&sort={sort}&name=SS")).await;
        assert_eq!(found.len(), 2, "{sort}");
    }
}

#[tokio::test]
async fn folders_are_made_moved_and_deleted_with_all_that_is_in_them() {
    let desk = Desk::open().await;
    let user = &desk.user;
    let make = async |body: Value| user.post(&format!("{V3}/folders"), body).await.expect(201).json();
    let a = make(json!({ "name": "a" })).await;
    let b = make(json!({ "name": "b", "parentFolderId": a["id"] })).await;
    assert_eq!(b["path"], "/a/b");
    let c = make(json!({ "name": "c", "parentPath": "/a/b/deeper" })).await;
    assert_eq!(c["path"], "/a/b/deeper/c");
    user.post(&format!("{V3}/folders"), json!({ "name": "a" })).await.expect(409);
    user.post(&format!("{V3}/folders"), json!({ "name": "x/y" })).await.expect(400);
    user.post(&format!("{V3}/folders"), json!({})).await.expect(400);
    let file = upload(&desk, &[("folderId", "", &text(&c, "id")), ("file", "a.txt", "x")]).await;
    assert_eq!(file["parentFolderId"], c["id"]);
    for at in ["a/b", "a%2Fb", &text(&b, "id")] {
        assert_eq!(user.get(&format!("{V3}/folders/{at}")).await.expect(200).json()["id"], b["id"]);
    }
    let into_itself = json!({ "parentFolderId": c["id"] });
    user.patch(&format!("{V3}/folders/{}", text(&a, "id")), into_itself).await.expect(400);
    let moved = json!({ "name": "B", "parentFolderId": 0 });
    let moved = user.patch(&format!("{V3}/folders/{}", text(&b, "id")), moved).await.expect(200).json();
    assert_eq!(moved["path"], "/B");
    let seen = user.get(&format!("{V3}/files/{}", text(&file, "id"))).await.expect(200).json();
    assert_eq!(seen["path"], "/B/deeper/c/a.txt");
    let task = json!({ "id": b["id"], "name": "b2", "parentFolderId": a["id"] });
    let task = user.post(&format!("{V3}/folders/update/async"), task).await.expect(202).json();
    let state = finished(&desk, &task).await;
    assert_eq!((&state["status"], &state["result"]["path"]), (&json!("COMPLETE"), &json!("/a/b2")));
    user.delete(&format!("{V3}/folders/{}", text(&a, "id"))).await.expect(204);
    user.get(&format!("{V3}/folders/{}", text(&c, "id"))).await.expect(404);
    user.get(&format!("{V3}/files/{}", text(&file, "id"))).await.expect(404);
    user.delete(&format!("{V3}/folders/a")).await.expect(404);
}

#[tokio::test]
async fn no_move_makes_folders_deeper_than_they_may_be() {
    let desk = Desk::open().await;
    let user = &desk.user;
    let make = async |path: &str, name: &str| {
        let body = json!({ "name": name, "parentPath": path });
        user.post(&format!("{V3}/folders"), body).await.expect(201).json()
    };
    let deep = (2..=12).map(|n| format!("/{n}")).collect::<String>();
    make(&format!("/tree{deep}"), "leaf").await;
    let tree = text(&user.get(&format!("{V3}/folders/tree")).await.expect(200).json(), "id");
    // 13 are in one another: there is room for 7 around them.
    make("/a/b/c/d/e/f", "g").await;
    make("/a/b/c/d/e/f/g", "h").await;
    let path = |path: &str| path.to_owned();
    let at = async |at: String| text(&user.get(&format!("{V3}/folders/{at}")).await.expect(200).json(), "id");
    let into =
        async |id: &str| user.patch(&format!("{V3}/folders/{tree}"), json!({ "parentFolderId": id })).await;
    let (seventh, eighth) = (at(path("a/b/c/d/e/f/g")).await, at(path("a/b/c/d/e/f/g/h")).await);
    let refused = into(&eighth).await.expect(400).text();
    assert!(
        refused.contains("Folders are at most 20 deep, and there are 13 in one another here"),
        "{refused}"
    );
    assert_eq!(into(&seventh).await.expect(200).json()["path"], "/a/b/c/d/e/f/g/tree");
    let leaf = format!("a/b/c/d/e/f/g/tree{deep}/leaf");
    user.post(&format!("{V3}/folders"), json!({ "name": "x", "parentPath": format!("/{leaf}") }))
        .await
        .expect(400);
    at(leaf).await;
    // What has grown inside counts, what was deleted there does not.
    assert_eq!(into("0").await.expect(200).json()["path"], "/tree");
    user.delete(&format!("{V3}/folders/tree{deep}/leaf")).await.expect(204);
    assert_eq!(into(&eighth).await.expect(200).json()["path"], "/a/b/c/d/e/f/g/h/tree");
    let task = json!({ "id": tree, "parentFolderId": 0 });
    let task = user.post(&format!("{V3}/folders/update/async"), task).await.expect(202).json();
    assert_eq!(finished(&desk, &task).await["result"]["path"], "/tree");
    make(&format!("/tree{deep}"), "leaf").await;
    let task = json!({ "id": tree, "parentFolderId": eighth });
    let task = user.post(&format!("{V3}/folders/update/async"), task).await.expect(202).json();
    let told = finished(&desk, &task).await;
    assert!(told["errors"].to_string().contains("Folders are at most 20 deep"), "{told}");
    // Who is only called otherwise goes nowhere.
    let renamed = user.patch(&format!("{V3}/folders/{eighth}"), json!({ "name": "H" })).await;
    assert_eq!(renamed.expect(200).json()["path"], "/a/b/c/d/e/f/g/H");
}

#[tokio::test]
async fn names_that_look_the_same_are_the_same() {
    let desk = Desk::open().await;
    let user = &desk.user;
    let (one, two) = ("Re\u{301}sume\u{301}", "R\u{e9}sum\u{e9}");
    let folder = user.post(&format!("{V3}/folders"), json!({ "name": one })).await.expect(201).json();
    assert_eq!(folder["name"], two);
    user.post(&format!("{V3}/folders"), json!({ "name": two })).await.expect(409);
    let path = |name: &str| {
        percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    for name in [one, two] {
        let found = user.get(&format!("{V3}/folders/{}", path(name))).await.expect(200).json();
        assert_eq!(found["id"], folder["id"], "{name}");
    }
    let options = r#"{"access":"PRIVATE","duplicateValidationStrategy":"NONE"}"#;
    let file = upload(
        &desk,
        &[("folderPath", "", one), ("options", "", options), ("file", &format!("{one}.txt"), "x")],
    )
    .await;
    assert_eq!((&file["parentFolderId"], &file["name"]), (&folder["id"], &json!(two)));
    for name in [one, two] {
        let found = user.get(&format!("{V3}/files/search?name={}", path(name))).await.expect(200).json();
        assert_eq!(found["results"][0]["id"], file["id"], "{name}");
        let found = user
            .get(&format!("{V3}/files/search?path={}", path(&format!("/{name}"))))
            .await
            .expect(200)
            .json();
        assert_eq!(found["results"].as_array().unwrap().len(), 1, "{name}");
    }
}

/// What a task says once it is complete.
pub async fn finished(desk: &Desk, task: &Value) -> Value {
    let path = local(&task["links"]["status"]);
    for _ in 0..500 {
        let state = desk.user.get(&path).await.expect(200).json();
        if state["status"] == "COMPLETE" {
            return state;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the task did not come to its end");
}

#[tokio::test]
async fn a_message_carries_a_file_until_it_is_erased() {
    let desk = Desk::open().await;
    let thread = desk.chat("ines").await;
    let file = upload(&desk, &[("file", "plan 'B' ü.txt", "secret plan")]).await;
    let id = text(&file, "id");
    let number: i64 = id.parse().unwrap();
    for named in [json!(id), json!(number), file["url"].clone()] {
        let message = with(desk.on_chat("x"), json!({ "attachments": [{ "fileId": named }] }));
        let message = desk.send(&thread, message).await;
        let attachment = &message["attachments"][0];
        assert_eq!((&attachment["fileId"], &attachment["name"]), (&json!(id), &json!("plan 'B' ü.txt")));
        assert_eq!(read(&desk, &attachment["url"]).await.expect(200).text(), "secret plan");
    }
    let history = desk.history(&thread).await;
    let url = history.last().unwrap()["attachments"][0]["url"].clone();
    assert_eq!(read(&desk, &url).await.expect(200).text(), "secret plan");
    desk.server.advance(std::time::Duration::from_secs(25 * 60 * 60));
    read(&desk, &url).await.expect(403);
    let history = desk.history(&thread).await;
    let url = history.last().unwrap()["attachments"][0]["url"].clone();
    read(&desk, &url).await.expect(200);

    desk.user.delete(&format!("{V3}/files/{id}")).await.expect(204);
    desk.user.delete(&format!("{V3}/files/{id}")).await.expect(404);
    read(&desk, &url).await.expect(404);
    let history = desk.history(&thread).await;
    assert_eq!(history.last().unwrap()["attachments"][0]["fileId"], json!(id), "it stays listed");
    let gone = with(desk.on_chat("x"), json!({ "attachments": [{ "fileId": id }] }));
    desk.post(&format!("/threads/{thread}/messages"), gone).await.expect(400);

    desk.user.delete(&format!("{V3}/files/{id}/gdpr-delete")).await.expect(204);
    desk.user.delete(&format!("{V3}/files/{id}/gdpr-delete")).await.expect(404);
    let attachments: Vec<_> =
        desk.history(&thread).await.iter().filter_map(|entry| entry["attachments"].get(0).cloned()).collect();
    assert_eq!(attachments, vec![json!({ "type": "UNSUPPORTED_CONTENT" }); 3]);
    let kept = desk.server.app().config.data_dir.join("files");
    assert_eq!(objects(&kept), Vec::<String>::new(), "the bytes are gone");
}

/// Files below a directory.
pub fn objects(directory: &std::path::Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => all.extend(objects(&entry.path())),
            false => all.push(entry.path().display().to_string()),
        }
    }
    all
}

#[tokio::test]
async fn the_sweep_takes_what_nobody_needs() {
    let desk = Desk::open().await;
    let kept = desk.server.app().config.data_dir.join("files");
    let sweep =
        async || antiphon::jobs::run_due(desk.server.app(), desk.server.app().store.now()).await.unwrap();
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let brief = json!({ "ttl": "P1D" }).to_string();
    let one = upload(&desk, &[("options", "", &brief), ("file", "a.txt", "x")]).await;
    let other = upload(&desk, &[("file", "b.txt", "x")]).await;
    assert_eq!(objects(&kept).len(), 1, "the same bytes are kept once");
    desk.server.advance(day);
    desk.user.get(&format!("{V3}/files/{}", text(&one, "id"))).await.expect(404);
    sweep().await;
    desk.user.delete(&format!("{V3}/files/{}", text(&other, "id"))).await.expect(204);
    desk.server.advance(29 * day);
    sweep().await;
    assert_eq!(objects(&kept).len(), 1);
    desk.server.advance(2 * day);
    sweep().await;
    desk.server.advance(day + day);
    sweep().await;
    assert_eq!(objects(&kept), Vec::<String>::new());
    // What no row knows goes too, but not while it may be on its way.
    let (fresh, stale) = (kept.join("1/aa/aafresh"), kept.join("1/aa/aastale#1"));
    std::fs::create_dir_all(kept.join("1/aa")).unwrap();
    for path in [&fresh, &stale, &kept.join("1/aa/aaold")] {
        std::fs::write(path, "x").unwrap();
    }
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for path in [&stale, &kept.join("1/aa/aaold")] {
        std::fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
    sweep().await;
    assert_eq!(objects(&kept), [fresh.display().to_string()]);
}

#[tokio::test]
async fn files_are_fetched_from_elsewhere() {
    let desk = Desk::open().await;
    let import = format!("{V3}/files/import-from-url/async");
    for (body, field) in [
        (json!({}), "url"),
        (json!({ "url": "ftp://a.example/x" }), "url"),
        (json!({ "url": "https://a.example/x", "folderId": 1, "folderPath": "/a" }), "folderPath"),
    ] {
        assert_eq!(desk.user.post(&import, body).await.expect(400).problems(), [field]);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        for answer in [
            "HTTP/1.1 302 Found\r\nLocation: /there/picture.txt\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nHello",
            "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\nHello",
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let fetch = async |path: &str| {
        let body = json!({ "url": format!("{origin}{path}"), "folderPath": "/imported" });
        let task = desk.user.post(&import, body).await.expect(202).json();
        finished(&desk, &task).await
    };
    let done = fetch("/here").await;
    assert_eq!(done["result"]["path"], "/imported/picture.txt", "{done}");
    assert_eq!(done["result"]["size"], 5);
    for _ in 0..2 {
        let failed = fetch("/here").await;
        assert_eq!((&failed["numErrors"], failed.get("result")), (&json!(1), None), "{failed}");
    }
    served.await.unwrap();
    assert_eq!(
        objects(&desk.server.app().config.data_dir.join("files")).len(),
        1,
        "what failed left nothing"
    );
}
