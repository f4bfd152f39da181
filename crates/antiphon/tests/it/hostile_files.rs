//! Uploads and downloads by those who mean no good, over real sockets: they lie about lengths, stop in the middle, take nothing of
//! what they asked for. Nothing is half-written, and nobody holds anything for ever.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use antiphon::config::Config;
use antiphon::serve::{Server, settings};
use antiphon_store::Quota;
use antiphon_testkit::{Home, Reply, Strict, document};
use bytes::Bytes;
use http::Method;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::files::{form, form_of_bytes, local, objects, png, send, send_raw};
use crate::kit::{Desk, text};

const PATH: &str = "/files/v3/files";

/// Most bytes of a file here.
const MOST: usize = 2_000_000;

/// A server that listens, and somebody who may do everything.
struct House {
    server: Server,
    head: String,
    judge: Strict,
    _home: Home,
}

impl House {
    async fn open(change: impl FnOnce(&mut Config)) -> Self {
        let home = Home::new();
        let mut config = home.config();
        config.files.max_bytes = MOST as u64;
        change(&mut config);
        let settings = settings(&config);
        let server = Server::start(config, settings).await.unwrap();
        server.app.store.portal_create(None, "Acme".into(), "UTC".into(), Quota::default()).await.unwrap();
        let mut operator = UnixStream::connect(server.app.config.socket()).await.unwrap();
        let body = r#"{ "label": "x", "scopes": ["files"] }"#;
        let head = "POST /antiphon/v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        let sent = format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        operator.write_all(sent.as_bytes()).await.unwrap();
        let mut made = String::new();
        operator.read_to_string(&mut made).await.unwrap();
        let made: Value = serde_json::from_str(made.split_once("\r\n\r\n").unwrap().1).unwrap();
        let head = format!("Host: x\r\nAuthorization: Bearer {}\r\n", text(&made, "token"));
        let judge = Strict::new(&document(&server.app).await);
        Self { server, head, judge, _home: home }
    }

    fn kept(&self) -> PathBuf {
        self.server.app.config.data_dir.join("files")
    }

    /// The head of an upload, with how long it is said to be.
    fn upload(&self, length: &str) -> String {
        let kind = "Content-Type: multipart/form-data; boundary=----antiphon\r\n";
        format!("POST {PATH} HTTP/1.1\r\n{}{kind}{length}\r\n\r\n", self.head)
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.server.url.trim_start_matches("http://")).await.unwrap()
    }

    /// Sends as much as is taken, and reads the answer, if one comes.
    async fn answer(&self, stream: TcpStream, head: &str, body: &[u8]) -> Option<Reply> {
        let (mut read, mut write) = stream.into_split();
        let all = [head.as_bytes(), body].concat();
        let sending = tokio::spawn(async move {
            // Whoever is answered early may find the door closed.
            write.write_all(&all).await.ok();
            write
        });
        let reply = self.reply(&mut read).await;
        sending.abort();
        reply
    }

    async fn reply(&self, read: &mut (impl AsyncReadExt + Unpin)) -> Option<Reply> {
        let mut seen = Vec::new();
        let whole = |seen: &[u8]| {
            let text = String::from_utf8_lossy(seen).into_owned();
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            (body.len() >= length.parse().unwrap()).then_some(())
        };
        let reading = async {
            while whole(&seen).is_none() {
                if read.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                    break;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reading).await.expect("an answer, or the end");
        let answer = String::from_utf8(seen).unwrap();
        if answer.is_empty() {
            return None;
        }
        let reply = Reply::read(&answer);
        self.judge.judge(&Method::POST, PATH, &reply).unwrap();
        Some(reply)
    }
}

/// A form with a file of so many bytes, and how many its parts' heads and ends have.
fn sized(bytes: usize) -> Vec<u8> {
    form_of_bytes(&[("file", "a.bin", &vec![b'x'; bytes])])
}

fn announced(length: usize) -> String {
    format!("Content-Length: {length}")
}

/// Waits until a directory has so many objects.
async fn settled(kept: &Path, count: usize) {
    let began = Instant::now();
    while objects(kept).len() != count {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", objects(kept));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_large_is_refused_however_it_is_announced() {
    let house = House::open(|_| {}).await;
    let at = sized(MOST);
    let reply = house.answer(house.connect().await, &house.upload(&announced(at.len())), &at).await.unwrap();
    assert_eq!(reply.expect(201).json()["size"], MOST);
    for over in [MOST + 1, MOST + 3_000_000] {
        let body = sized(over);
        let head = house.upload(&announced(body.len()));
        let reply = house.answer(house.connect().await, &head, &body).await.unwrap().expect(413).json();
        assert_eq!(reply["category"], "PAYLOAD_TOO_LARGE");
        let mut chunked = Vec::new();
        for piece in body.chunks(100_000) {
            chunked.extend(format!("{:x}\r\n", piece.len()).as_bytes());
            chunked.extend([piece, b"\r\n"].concat());
        }
        chunked.extend(b"0\r\n\r\n");
        let head = house.upload("Transfer-Encoding: chunked");
        house.answer(house.connect().await, &head, &chunked).await.unwrap().expect(413);
    }
    // Nothing is asked for that is too much by its own account, and no length is too large to be read.
    for length in ["10000000000", "18446744073709551615", "99999999999999999999999"] {
        let head = house.upload(&format!("Expect: 100-continue\r\nContent-Length: {length}"));
        let mut stream = house.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 10];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&status), "HTTP/1.1 4", "{length}");
    }
    // Chunks that never end.
    let mut stream = house.connect().await;
    stream.write_all(house.upload("Transfer-Encoding: chunked").as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let endless = tokio::spawn(async move {
        let begin = sized(100);
        let begin = &begin[..begin.len() - 20];
        let mut piece = format!("{:x}\r\n", begin.len()).into_bytes();
        piece.extend([begin, b"\r\n"].concat());
        while write.write_all(&piece).await.is_ok() {
            piece = b"10000\r\n".to_vec();
            piece.extend(std::iter::repeat_n(b'x', 0x10000));
            piece.extend(b"\r\n");
        }
    });
    house.reply(&mut read).await.unwrap().expect(413);
    let began = Instant::now();
    while !endless.is_finished() {
        assert!(began.elapsed() < Duration::from_secs(60), "the connection is kept for what nobody wants");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    settled(&house.kept(), 1).await;
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lengths_that_lie_leave_nothing_behind() {
    let house = House::open(|_| {}).await;
    let body = sized(1_500_000);
    // Said to be shorter: what is left over is no second request that anybody answers well.
    let head = house.upload(&announced(body.len() / 2));
    let mut stream = house.connect().await;
    stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.ok();
    let all = String::from_utf8_lossy(&all);
    assert!(!all.contains("HTTP/1.1 2"), "{all}");
    // Said to be longer, and then nothing more comes.
    let head = house.upload(&announced(body.len() * 2));
    let mut stream = house.connect().await;
    stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.ok();
    assert!(!String::from_utf8_lossy(&all).contains("HTTP/1.1 2"), "{}", String::from_utf8_lossy(&all));
    // Both ways at once, as smugglers do.
    let head = house.upload("Content-Length: 10\r\nTransfer-Encoding: chunked");
    let mut stream = house.connect().await;
    stream.write_all(&[head.as_bytes(), b"5\r\nhello\r\n0\r\n\r\n"].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.ok();
    assert!(!String::from_utf8_lossy(&all).contains("HTTP/1.1 2"), "{}", String::from_utf8_lossy(&all));
    settled(&house.kept(), 0).await;
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_in_the_middle_is_given_up_and_leaves_nothing() {
    let house = House::open(|config| config.server.idle_seconds = 1).await;
    let body = sized(1_900_000);
    let whole = form(&[("file", "a.txt", "all of it"), ("fileName", "", "b")]);
    // In the file, so that a part of it has been written; and behind a file that is there whole.
    for (sent, hangs_up) in
        [(&body[..1_500_000], false), (&body[..1_500_000], true), (&whole[..whole.len() - 40], false)]
    {
        let mut stream = house.connect().await;
        stream.write_all(house.upload(&announced(2_000_000)).as_bytes()).await.unwrap();
        stream.write_all(sent).await.unwrap();
        settled(&house.kept(), 1).await;
        if hangs_up {
            drop(stream);
        } else {
            let began = Instant::now();
            let reply = house.reply(&mut stream).await.expect("an answer").expect(400);
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
            assert!(reply.text().contains("nothing came for too long"), "{}", reply.text());
        }
        settled(&house.kept(), 0).await;
    }
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_takes_nothing_is_ended_and_a_slow_one_is_not() {
    let house = House::open(|config| {
        config.server.idle_seconds = 1;
        config.files.max_bytes = 100 << 20;
    })
    .await;
    let large = 60 << 20;
    let body = sized(large);
    let head = house.upload(&announced(body.len()));
    let made = house.answer(house.connect().await, &head, &body).await.unwrap().expect(201).json();
    let ask = format!("GET {PATH}/{}/download HTTP/1.1\r\n{}\r\n", text(&made, "id"), house.head);
    let mut slow = house.connect().await;
    slow.write_all(ask.as_bytes()).await.unwrap();
    let slowly = tokio::spawn(async move {
        // Eight seconds for all of it: many times as long as a connection may rest.
        let (began, mut taken, mut piece) = (tokio::time::Instant::now(), 0, vec![0; 64 << 10]);
        while taken < large {
            match slow.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(length) => taken += length,
            }
            let due = Duration::from_secs_f64(8.0 * taken as f64 / large as f64);
            tokio::time::sleep_until(began + due).await;
        }
        taken
    });
    let mut stuck = house.connect().await;
    stuck.write_all(ask.as_bytes()).await.unwrap();
    let began = Instant::now();
    while house.server.app.connections() != 2 {
        assert!(began.elapsed() < Duration::from_secs(1), "{} connections", house.server.app.connections());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    while house.server.app.connections() > 1 {
        assert!(began.elapsed() < Duration::from_secs(6), "it is held for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
    let mut rest = Vec::new();
    stuck.read_to_end(&mut rest).await.ok();
    assert!(rest.len() < large, "it was not all");
    assert!(slowly.await.unwrap() >= large, "whoever goes on taking has it all in the end");
    house.server.stop().await;
}

/// Over HTTP/2 a client may answer everything that it is asked, and still take nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_which_nothing_is_taken_ends_with_its_connection() {
    let house = House::open(|config| config.server.idle_seconds = 1).await;
    let body = sized(1_900_000);
    let head = house.upload(&announced(body.len()));
    let made = house.answer(house.connect().await, &head, &body).await.unwrap().expect(201).json();
    let (executor, io) = (TokioExecutor::new(), TokioIo::new(house.connect().await));
    let mut client = hyper::client::conn::http2::Builder::new(executor);
    let client = client.initial_stream_window_size(65_535).handshake::<_, Empty<Bytes>>(io);
    let (mut sender, connection) = client.await.unwrap();
    let connection = tokio::spawn(connection);
    let token = house.head.split("Authorization: ").nth(1).unwrap().trim().to_owned();
    let ask = |path: &str| {
        let request =
            http::Request::get(format!("{}{path}", house.server.url)).header("authorization", &token);
        request.body(Empty::new()).unwrap()
    };
    let path = format!("{PATH}/{}/download", text(&made, "id"));
    let (began, stuck) = (Instant::now(), sender.send_request(ask(&path)).await.unwrap());
    assert_eq!(stuck.status(), 200);
    // Others who come and go over the same connection do not keep it.
    while let Ok(answer) = sender.send_request(ask("/healthz")).await {
        assert_eq!(answer.status(), 200);
        assert!(began.elapsed() < Duration::from_secs(8), "it is held for ever");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
    connection.await.unwrap().ok();
    house.server.stop().await;
}

/// What comes before a part begins is kept until it does, so there is only so much of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_part_has_a_head_without_end() {
    let house = House::open(|_| {}).await;
    let headless = |before: &str| {
        let begin = format!("{before}------antiphon\r\nContent-Disposition: form-data; name=\"file\"\r\nX: ");
        [begin.as_bytes(), &vec![b'y'; 1_900_000], b"\r\n\r\nx\r\n------antiphon--\r\n"].concat()
    };
    let text = "------antiphon\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n";
    let preface = [vec![b'z'; 1_900_000], form(&[("file", "a.txt", "x")])].concat();
    for body in [headless(""), headless(text), preface, vec![b'-'; 1_900_000]] {
        let head = house.upload(&announced(body.len()));
        let reply = house.answer(house.connect().await, &head, &body).await.unwrap().expect(400);
        assert!(reply.text().contains("no part begins for too long"), "{}", reply.text());
    }
    settled(&house.kept(), 0).await;
    house.server.stop().await;
}

#[tokio::test]
async fn odd_forms_are_refused_or_taken_for_what_they_are() {
    let desk = Desk::open().await;
    let kept = desk.server.app().config.data_dir.join("files");
    let refused = async |body: Vec<u8>, status: u16| {
        let reply = send_raw(&desk.user, "POST", PATH, body).await.expect(status);
        assert_eq!(objects(&kept), Vec::<String>::new(), "{}", reply.text());
    };
    // Ten thousand parts, with the file among the first, and behind so many that nobody reads on.
    let many: Vec<String> = (0..10_000).map(|n| format!("part{n}")).collect();
    let parts = || many.iter().map(|name| (name.as_str(), "", "x"));
    refused(form(&[("file", "a.txt", "x")].into_iter().chain(parts()).collect::<Vec<_>>()), 400).await;
    refused(form(&parts().chain([("file", "a.txt", "x")]).collect::<Vec<_>>()), 400).await;
    let twice = ("file", "a.txt", "x");
    refused(form(&[twice, ("fileName", "", "b"), twice]), 400).await;
    refused(form(&[twice, ("fileName", "", &"n".repeat(1 << 20))]), 400).await;
    refused(form(&[("options", "", &"{".repeat(60_000)), twice]), 400).await;
    for (kind, status) in [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/mixed; boundary=----antiphon", 415),
        ("multipart/form-data; boundary=other", 400),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let reply = desk.user.clone().with("content-type", kind).send("POST", PATH, form(&[twice])).await;
        assert_eq!(reply.status, status, "{kind}: {}", reply.text());
        assert_eq!(objects(&kept), Vec::<String>::new());
    }
    // A form in a form is a file like another.
    let inner = form(&[("file", "inner.txt", "y")]);
    let inner = String::from_utf8(inner).unwrap().replace("----antiphon", "inner");
    let outer = send(&desk.user, "POST", PATH, &[("file", "form.txt", &inner)]).await.expect(201).json();
    assert_eq!(outer["size"], inner.len());
    let found = desk.user.all(&format!("{PATH}/search")).await;
    assert_eq!(found.len(), 1, "nothing came of the others");
}

#[tokio::test]
async fn names_are_names_whatever_they_look_like() {
    let desk = Desk::open().await;
    let long = "n".repeat(10_000);
    for (name, kept) in [
        ("../../../etc/passwd", Some("/passwd")),
        ("..\\..\\windows\\system.ini", Some("/system.ini")),
        ("/", Some("/file")),
        ("..", None),
        ("a\0b.txt", None),
        ("a\u{7}b.txt", None),
        ("a\tb.txt", None),
        ("\u{202e}gpj.exe", None),
        ("a\u{2066}b.txt", None),
        ("%2e%2e%2fpasswd", Some("/%2e%2e%2fpasswd")),
        ("<script>.html", Some("/<script>.html")),
        (&long, None),
    ] {
        let reply = send(&desk.user, "POST", PATH, &[("file", name, "x")]).await;
        match kept {
            Some(path) => assert_eq!(reply.expect(201).json()["path"], path, "{name:?}"),
            None => assert_eq!(reply.expect(400).status, 400, "{name:?}"),
        }
        let named = [("file", "a.txt", "x"), ("fileName", "", name)];
        let plain = !name.contains(['/', '\\']) && kept.is_some();
        let reply = send(&desk.user, "POST", PATH, &named).await;
        assert_eq!(reply.status, if plain { 201 } else { 400 }, "{name:?}: {}", reply.text());
    }
    for folder in ["/a/../b", "/a/\u{202e}b", "/a/b\0", &"a/".repeat(25)] {
        let named = [("file", "a.txt", "x"), ("folderPath", "", folder)];
        send(&desk.user, "POST", PATH, &named).await.expect(400);
    }
    for found in desk.user.all(&format!("{PATH}/search")).await {
        let url = found["url"].as_str().unwrap();
        assert!(url.bytes().all(|c| c.is_ascii_graphic() && c != b'<'), "{url}");
    }
}

/// Whatever it says it is, a browser neither runs it nor lets it reach anything of ours.
#[tokio::test]
async fn nothing_that_was_uploaded_runs_in_our_origin() {
    let desk = Desk::open().await;
    let script = b"<html><script>fetch('/antiphon/v1/tokens')</script></html>";
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let polyglot = [png(8, 8).as_slice(), script].concat();
    let gif = [b"GIF89a/*\x01\x00\x01\x00\x00".as_slice(), b"*/=1;alert(1)//", script].concat();
    let public = json!({ "access": "PUBLIC_INDEXABLE" }).to_string();
    for (name, said, bytes, inline) in [
        ("a.html", "text/html", script.as_slice(), false),
        ("a.png", "text/html; charset=utf-7", script, false),
        ("a.svg", "image/svg+xml", svg, false),
        ("a.svgz", "IMAGE/SVG+XML", svg, false),
        ("a.xml", "application/xhtml+xml", script, false),
        ("a.xml", "text/xml", svg, false),
        ("a.js", "text/javascript", b"alert(1)", false),
        ("a.mjs", "application/javascript", b"alert(1)", false),
        ("a.html", "", script, false),
        ("a.html", "application/octet-stream", script, false),
        ("a.swf", "application/x-shockwave-flash", script, false),
        ("a.html", "multipart/x-mixed-replace", script, false),
        // As pictures these are shown, as nothing else: it is said not to guess.
        ("a.png", "image/png", &polyglot, true),
        ("a.html", "image/gif", &gif, true),
        ("a.html", "image/png", script, true),
    ] {
        let head = |name: &str, more: &str| {
            format!("------antiphon\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n")
        };
        let kind = if said.is_empty() { String::new() } else { format!("\r\nContent-Type: {said}") };
        let file = head("file", &format!("; filename=\"{name}\"{kind}"));
        let options = head("options", "");
        let body =
            [format!("{options}{public}\r\n{file}").as_bytes(), bytes, b"\r\n------antiphon--\r\n"].concat();
        let made = send_raw(&desk.user, "POST", PATH, body).await.expect(201).json();
        let signed = desk.user.get(&format!("{PATH}/{}/signed-url?size=thumb", text(&made, "id"))).await;
        let paths = [
            local(&made["url"]),
            local(&signed.expect(200).json()["url"]),
            format!("{}x.html", local(&made["url"]).trim_end_matches(|c| c != '/')),
        ];
        let mut replies = Vec::new();
        for path in paths {
            replies.push((inline, desk.server.anybody().get(&path).await.expect(200)));
            replies.push((inline, desk.server.anybody().send("HEAD", &path, "").await.expect(200)));
            let part = desk.server.anybody().with("range", "bytes=0-3").get(&path).await;
            replies.push((inline, part.expect(206)));
        }
        let download = desk.user.get(&format!("{PATH}/{}/download", text(&made, "id"))).await;
        replies.push((false, download.expect(200)));
        for (inline, reply) in replies {
            let header = |name| reply.header(name).unwrap_or_else(|| panic!("{name} of {said}"));
            let how = if inline { "inline;" } else { "attachment;" };
            assert!(header("content-disposition").starts_with(how), "{said}: {:?}", reply.headers);
            assert_eq!(header("x-content-type-options"), "nosniff");
            let policy = header("content-security-policy");
            assert!(policy.starts_with("sandbox;") && policy.contains("default-src 'none'"), "{policy}");
            assert!(!policy.contains("allow-"), "{policy}");
            let kind = header("content-type");
            assert!(!inline || kind.starts_with("image/") && !kind.contains("svg"), "{said}: {kind}");
        }
    }
}

/// A chunk of a picture: its length, its kind, what is in it, and a sum over both.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(data);
    [&(data.len() as u32).to_be_bytes(), kind.as_slice(), data, &sum.sum().to_be_bytes()].concat()
}

/// A true picture of so many black pixels, whose bytes are few.
fn bomb(side: u32) -> Vec<u8> {
    use std::io::Write;
    let head = [&side.to_be_bytes()[..], &side.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let line = vec![0; 1 + 3 * side as usize];
    for _ in 0..side {
        packed.write_all(&line).unwrap();
    }
    let magic = b"\x89PNG\r\n\x1a\n".to_vec();
    [magic, chunk(b"IHDR", &head), chunk(b"IDAT", &packed.finish().unwrap()), chunk(b"IEND", b"")].concat()
}

#[tokio::test]
async fn pictures_that_grow_beyond_all_bounds_are_only_bytes() {
    let desk = Desk::open().await;
    let honest = bomb(2_000);
    for (bytes, scaled) in [(honest, true), (bomb(8_000), false)] {
        assert!(bytes.len() < 1 << 20, "{}", bytes.len());
        let parts: [(&str, &str, &[u8]); 1] = [("file", "bomb.png", &bytes)];
        let made = send_raw(&desk.user, "POST", PATH, form_of_bytes(&parts)).await.expect(201).json();
        let signed = format!("{PATH}/{}/signed-url?size=thumb", text(&made, "id"));
        let signed = desk.user.get(&signed).await.expect(200).json();
        let began = Instant::now();
        let reply = desk.server.anybody().get(&local(&signed["url"])).await.expect(200);
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        assert_eq!(reply.body != bytes, scaled, "{}", bytes.len());
    }
}
