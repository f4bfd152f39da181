//! One request sent to a hostile world.

use std::collections::HashSet;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use antiphon::config::{self, Config};
use antiphon::outbound::{Answer, Attempt, Failure, Lookup, Outbound, TargetUrl};
use antiphon_testkit::{Reaction, TestReceiver};
use bytes::Bytes;
use futures_util::future::join_all;
use http::Method;

const SECOND: Duration = Duration::from_secs(1);

/// The tests' usual configuration, with little patience.
fn impatient() -> config::Outbound {
    let mut config = Config::for_tests("/nowhere".as_ref()).unwrap().outbound;
    config.seconds = 1;
    config
}

/// What a server has that nobody configured.
fn strict() -> config::Outbound {
    config::Outbound { allow: Vec::new(), http: true, ..impatient() }
}

fn outbound() -> Outbound {
    Outbound::new(&impatient()).unwrap()
}

async fn post(outbound: &Outbound, url: &str) -> Attempt {
    let target = TargetUrl::parse(url).unwrap();
    outbound.send(Method::POST, &target, &[("content-type", "application/json".into())], "[]".into()).await
}

async fn outcome(outbound: &Outbound, url: &str) -> Result<Answer, Failure> {
    post(outbound, url).await.outcome
}

/// What one request meets at a receiver that behaves like this.
async fn met(reaction: Reaction) -> Result<Answer, Failure> {
    let receiver = TestReceiver::start().await;
    receiver.react(move |_| reaction.clone());
    let outcome = outcome(&outbound(), &receiver.url("/")).await;
    assert_eq!(receiver.received().len(), 1, "one attempt is one request");
    outcome
}

/// Resolves every name as this list says, one entry after the other and the last again and again; counts the questions.
pub fn telling(answers: &[&[&str]]) -> (Lookup, Arc<AtomicUsize>) {
    let parsed = |text: &&str| text.parse::<IpAddr>().unwrap();
    let answers: Vec<Vec<IpAddr>> = answers.iter().map(|list| list.iter().map(parsed).collect()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let answer = answers[number.min(answers.len() - 1)].clone();
        Box::pin(async move { Ok(answer) })
    });
    (lookup, asked)
}

fn refused(host: &str) -> Result<Answer, Failure> {
    Err(Failure::Private(host.into()))
}

#[tokio::test]
async fn what_is_sent_arrives_byte_for_byte() {
    let receiver = TestReceiver::start().await;
    receiver.react(|_| Reaction::answer(202, &[("retry-after", "7"), ("set-cookie", "a=b")], "thank\0you"));
    let outbound = outbound();
    let target = TargetUrl::parse(&receiver.url("/a%2Fb/%C3%A9/..?x='(*)'&%2F=%20;[é]#part")).unwrap();
    let body = Bytes::from_static("[\"Grüße \u{0}\"]".as_bytes());
    let headers = [("content-type", "application/json".into()), ("x-hubspot-signature", "abc".into())];
    for _ in 0..2 {
        let attempt = outbound.send(Method::POST, &target, &headers, body.clone()).await;
        let answer = Answer { status: 202, retry_after: Some(7 * SECOND), excerpt: "thank you".into() };
        assert_eq!(attempt.outcome, Ok(answer));
        assert!(attempt.took < SECOND);
    }
    for request in receiver.received() {
        assert_eq!((request.method.as_str(), &request.body), ("POST", &body));
        assert_eq!(request.target, "/a%2Fb/%C3%A9/..?x='(*)'&/=%20;[%C3%A9]");
        assert_eq!(format!("http://{}{}", request.header("host"), request.target), target.as_str());
        assert_eq!(request.header("user-agent"), concat!("Antiphon-Webhooks/", env!("CARGO_PKG_VERSION")));
        let mut names: Vec<_> = request.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "content-type", "host", "user-agent", "x-hubspot-signature"]);
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let receiver = TestReceiver::start().await;
    let outbound = outbound();
    for _ in 0..20 {
        assert_eq!(outcome(&outbound, &receiver.url("/")).await.unwrap().status, 200);
    }
    assert_eq!(receiver.connections(), 1);
    // A receiver that hangs up behind its answer is no failure.
    receiver.react(|_| Reaction::status(200).then_close());
    for _ in 0..5 {
        assert_eq!(outcome(&outbound, &receiver.url("/")).await.unwrap().status, 200);
    }
}

/// What a receiver does that hangs up just when the next request is on its way.
#[tokio::test]
async fn a_kept_connection_that_is_closed_under_a_request_is_replaced() {
    let receiver = TestReceiver::start().await;
    let mut seen = HashSet::new();
    receiver.react(move |request| match seen.insert(request.connection) {
        true => Reaction::status(200).after(SECOND / 10),
        false => Reaction::close(),
    });
    let (outbound, url) = (outbound(), receiver.url("/"));
    let five = join_all((0..5).map(|_| outcome(&outbound, &url))).await;
    assert!(five.iter().all(Result::is_ok), "{five:?}");
    assert_eq!((receiver.connections(), receiver.received().len()), (5, 5));
    // All five are kept, and none is good for another request.
    assert_eq!(outcome(&outbound, &url).await.unwrap().status, 200);
    assert_eq!((receiver.connections(), receiver.received().len()), (6, 11));
}

#[tokio::test]
async fn every_status_is_an_answer_and_no_redirect_is_followed() {
    let elsewhere = TestReceiver::start().await;
    for status in [200, 204, 299, 301, 302, 303, 307, 308, 400, 401, 404, 410, 429, 500, 503, 599] {
        let location = elsewhere.url("/elsewhere");
        let reaction = match status {
            204 => Reaction::raw("HTTP/1.1 204 -\r\n\r\n"),
            status => Reaction::answer(status, &[("location", &location)], ""),
        };
        assert_eq!(met(reaction).await.unwrap().status, status);
    }
    assert_eq!(elsewhere.received().len(), 0);
    // What comes before an answer is not the answer.
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 500 -\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(met(Reaction::raw(early)).await.unwrap().status, 500);
}

#[tokio::test]
async fn receivers_that_take_their_time_get_so_much_and_no_more() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n";
    let drip = Duration::from_millis(20);
    let reactions = [
        Reaction::hang(),
        Reaction::status(200).after(2 * SECOND),
        Reaction::raw("HTTP/1.1 200").then_hang(),
        Reaction::raw(head).then_hang(),
        Reaction::raw(format!("{head}\r\n")).then_hang(),
        Reaction::raw(format!("{head}\r\nhalf")).then_hang(),
        Reaction::raw(format!("{head}\r\n")).then_repeat("x", drip),
        Reaction::raw("HTTP/1.1 200 OK\r\n").then_repeat("x: y\r\n", drip),
        Reaction::raw("").then_repeat("HTTP/1.1 100 Continue\r\n\r\n", drip),
        Reaction::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            .then_repeat("1\r\nx\r\n", drip),
    ];
    // All at once, so that the test takes no longer than each.
    join_all(reactions.map(async |reaction| {
        let began = Instant::now();
        assert_eq!(met(reaction.clone()).await, Err(Failure::TimedOut(SECOND)), "{reaction:?}");
        let took = began.elapsed();
        assert!(took >= SECOND && took < 2 * SECOND, "{reaction:?}: {took:?}");
    }))
    .await;
    // In time is in time.
    assert_eq!(met(Reaction::status(200).after(SECOND / 2)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_listener_that_never_speaks_is_given_up() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap();
    for scheme in ["http", "https"] {
        let began = Instant::now();
        let outcome = outcome(&outbound(), &format!("{scheme}://{address}/")).await;
        assert!(matches!(outcome, Err(Failure::TimedOut(_))), "{outcome:?}");
        assert!(began.elapsed() < 2 * SECOND);
    }
    drop(deaf);
    let gone = outcome(&outbound(), &format!("http://{address}/")).await;
    assert_eq!(gone, Err(Failure::Unreachable("connection refused".into())));
}

#[tokio::test]
async fn answers_that_are_cut_off_are_none() {
    for reaction in [
        Reaction::close(),
        Reaction::raw("HTTP/1.1 200 OK\r\ncontent-le").then_close(),
        Reaction::raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").then_close(),
        Reaction::raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").then_close(),
        Reaction::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n").then_close(),
    ] {
        assert_eq!(met(reaction.clone()).await, Err(Failure::Closed), "{reaction:?}");
    }
    // Without a length, the end of the connection is the end of the answer.
    let answer = met(Reaction::raw("HTTP/1.0 200 OK\r\n\r\nall of it").then_close()).await.unwrap();
    assert_eq!((answer.status, answer.excerpt.as_str()), (200, "all of it"));
}

#[tokio::test]
async fn what_is_no_answer_is_none() {
    let many: String = (0..500).map(|n| format!("x-{n}: y\r\n")).collect();
    for reaction in [
        Reaction::raw("SSH-2.0-OpenSSH_9.2p1\r\n").then_hang(),
        Reaction::raw([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]).then_hang(),
        Reaction::raw("HTTP/1.1 200 OK\r\nbroken header\r\n\r\n").then_hang(),
        Reaction::raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx").then_hang(),
        Reaction::raw("HTTP/1.1 99999 OK\r\n\r\n").then_hang(),
        Reaction::raw(format!("HTTP/1.1 200 OK\r\n{many}\r\n")).then_hang(),
        Reaction::raw("HTTP/1.1 200 OK\r\nx: ").then_repeat("y".repeat(10_000), Duration::ZERO),
    ] {
        let outcome = met(reaction.clone()).await;
        assert_eq!(outcome, Err(Failure::Garbled), "{reaction:?}");
    }
}

#[tokio::test]
async fn of_a_long_answer_the_beginning_is_enough() {
    let receiver = TestReceiver::start().await;
    let outbound = outbound();
    // It says that it is longer than anybody would read, and never ends.
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n";
    receiver.react(move |_| Reaction::raw(head).then_repeat("é".repeat(1000), Duration::ZERO));
    let answer = outcome(&outbound, &receiver.url("/")).await.unwrap();
    assert_eq!((answer.status, answer.excerpt), (200, "é".repeat(512)));
    // The connection with the rest of it in is not used again.
    receiver.react(|_| Reaction::status(200));
    assert_eq!(outcome(&outbound, &receiver.url("/")).await.unwrap().excerpt, "");
    assert_eq!(receiver.connections(), 2);
    // One that is as long as may be is read to its end.
    receiver.react(|_| Reaction::answer(200, &[], &"x".repeat(16 << 10)));
    assert_eq!(outcome(&outbound, &receiver.url("/")).await.unwrap().excerpt, "x".repeat(1024));
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn certificates_are_checked() {
    let receiver = TestReceiver::secure().await;
    let url = receiver.url("/");
    let tls = |outcome: Result<Answer, Failure>, word: &str| match outcome {
        Err(Failure::Tls(why)) if why.contains(word) => {}
        other => panic!("{word}: {other:?}"),
    };
    tls(outcome(&outbound(), &url).await, "UnknownIssuer");
    assert_eq!(receiver.received().len(), 0);

    let trusting = config::Outbound { certificate_authorities: receiver.certificate(), ..impatient() };
    let trusted = Outbound::new(&trusting).unwrap();
    for _ in 0..2 {
        assert_eq!(outcome(&trusted, &url).await.unwrap().status, 200);
    }
    assert_eq!(receiver.received().last().unwrap().connection, 2, "a secure connection is used again, too");
    // It is the name in the URL that the certificate has to speak for.
    let (lookup, _) = telling(&[&["127.0.0.1"]]);
    let elsewhere = Outbound::asking(&trusting, lookup).unwrap();
    let port = receiver.address.port();
    tls(outcome(&elsewhere, &format!("https://other.example:{port}/")).await, "other.example");
    assert_eq!(outcome(&elsewhere, &format!("https://LOCALHOST:{port}/")).await.unwrap().status, 200);

    let plain = TestReceiver::start().await;
    plain.react(|_| Reaction::status(200));
    let outcome = outcome(&trusted, &plain.url("/").replace("http:", "https:")).await;
    assert!(matches!(outcome, Err(Failure::Unreachable(_) | Failure::Tls(_))), "{outcome:?}");

    let wrong = config::Outbound { certificate_authorities: "/nowhere/ca.pem".into(), ..impatient() };
    let error = Outbound::new(&wrong).err().unwrap().to_string();
    assert!(error.contains("outbound.certificate_authorities"), "{error}");
}

#[tokio::test]
async fn plain_http_has_to_be_allowed() {
    let receiver = TestReceiver::start().await;
    let encrypted = Outbound::new(&config::Outbound { http: false, ..impatient() }).unwrap();
    assert_eq!(outcome(&encrypted, &receiver.url("/")).await, Err(Failure::Plain));
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn no_address_that_is_not_public_is_connected_to() {
    let receiver = TestReceiver::start().await;
    let port = receiver.address.port();
    let strict = Outbound::new(&strict()).unwrap();
    for host in
        ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "0.0.0.0", "[::]"]
    {
        let url = format!("http://{host}:{port}/");
        let outcome = outcome(&strict, &url).await;
        assert!(matches!(outcome, Err(Failure::Private(_))), "{url}: {outcome:?}");
        assert!(strict.check(&TargetUrl::parse(&url).unwrap()).is_err(), "{url}");
    }
    for host in ["10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "[fd00:ec2::254]", "[fe80::1]"] {
        let outcome = outcome(&strict, &format!("http://{host}/")).await;
        assert!(matches!(outcome, Err(Failure::Private(_))), "{host}: {outcome:?}");
    }
    // This machine's own names, by way of its own resolver.
    assert_eq!(outcome(&strict, &format!("http://localhost:{port}/")).await, refused("localhost"));
    assert_eq!(receiver.connections(), 0, "nothing came through");
}

/// Other spellings of 127.0.0.1 are no URLs here. Even if they were, what they stand for is what counts.
#[tokio::test]
async fn an_address_in_disguise_is_refused() {
    for host in ["2130706433", "0177.0.0.1", "0x7f.0.0.1", "127.1", "0x7f000001", "017700000001", "127.0.1"] {
        assert!(TargetUrl::parse(&format!("http://{host}/")).is_err(), "{host}");
        if let Ok(found) = tokio::net::lookup_host((host, 80)).await {
            let addresses: Vec<String> = found.map(|found| found.ip().to_string()).collect();
            let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
            let (lookup, _) = telling(&[&addresses]);
            let strict = Outbound::asking(&strict(), lookup).unwrap();
            assert_eq!(
                outcome(&strict, "http://disguise.example/").await,
                refused("disguise.example"),
                "{host}"
            );
        }
    }
    // Digits of other scripts are digits.
    let strict = Outbound::new(&strict()).unwrap();
    assert_eq!(outcome(&strict, "http://１２７.０.０.１/").await, refused("127.0.0.1"));
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    let receiver = TestReceiver::start().await;
    let url = format!("http://bot.example.org:{}/", receiver.address.port());
    for inside in [
        &["127.0.0.1"][..],
        &["::1", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::"],
        &["10.0.0.1", "169.254.169.254", "fe80::1"],
    ] {
        let (lookup, _) = telling(&[inside]);
        let strict = Outbound::asking(&strict(), lookup).unwrap();
        assert_eq!(outcome(&strict, &url).await, refused("bot.example.org"), "{inside:?}");
    }
    assert_eq!(receiver.connections(), 0);

    let (lookup, _) = telling(&[&[]]);
    let strict = Outbound::asking(&strict(), lookup).unwrap();
    assert_eq!(outcome(&strict, &url).await, Err(Failure::Unresolved("bot.example.org".into())));
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_ones_are_tried() {
    let receiver = TestReceiver::start().await;
    let url = format!("http://bot.example.org:{}/", receiver.address.port());
    // Nobody listens at the one that is allowed, but at the other.
    let mut config = strict();
    config.allow = vec!["127.0.0.2".parse().unwrap()];
    let (lookup, _) = telling(&[&["127.0.0.1", "127.0.0.2"]]);
    let outbound = Outbound::asking(&config, lookup.clone()).unwrap();
    assert!(matches!(outcome(&outbound, &url).await, Err(Failure::Unreachable(_))));
    assert_eq!(receiver.connections(), 0);

    config.allow = vec!["127.0.0.1".parse().unwrap()];
    let outbound = Outbound::asking(&config, lookup.clone()).unwrap();
    assert_eq!(outcome(&outbound, &url).await.unwrap().status, 200);
    // A host that is allowed is allowed wherever it is, and no other with it.
    config.allow = vec!["bot.example.org".parse().unwrap()];
    let outbound = Outbound::asking(&config, lookup).unwrap();
    assert_eq!(outcome(&outbound, &url).await.unwrap().status, 200);
    assert_eq!(outcome(&outbound, &url.replace("bot", "not")).await, refused("not.example.org"));
}

/// A name that is looked at and then changes its mind: nobody asks a second time between looking and connecting, and who asks
/// for another connection looks again.
#[tokio::test]
async fn a_name_that_changes_is_looked_at_for_every_connection() {
    let receiver = TestReceiver::start().await;
    receiver.react(|_| Reaction::status(200).then_close());
    let url = format!("http://bot.example.org:{}/", receiver.address.port());
    let mut config = strict();
    config.allow = vec!["127.0.0.1".parse().unwrap()];
    let (lookup, asked) = telling(&[&["127.0.0.1"], &["127.0.0.3"], &["127.0.0.1"]]);
    let outbound = Outbound::asking(&config, lookup).unwrap();
    assert_eq!(outcome(&outbound, &url).await.unwrap().status, 200);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(outcome(&outbound, &url).await, refused("bot.example.org"));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(outcome(&outbound, &url).await.unwrap().status, 200);
}

#[tokio::test]
async fn names_that_are_never_found_hold_nobody_up() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |name| {
        count.fetch_add(1, Ordering::SeqCst);
        let quick = name == "quick.example";
        Box::pin(async move {
            if !quick {
                tokio::time::sleep(60 * SECOND).await;
            }
            Ok(vec![[127, 0, 0, 1].into()])
        })
    });
    let receiver = TestReceiver::start().await;
    let outbound = Outbound::asking(&impatient(), lookup).unwrap();
    let slow = join_all((0..50).map(|_| post(&outbound, "http://slow.example/")));
    let quick = format!("http://quick.example:{}/", receiver.address.port());
    let (slow, quick) = tokio::join!(slow, post(&outbound, &quick));
    assert!(slow.iter().all(|attempt| attempt.outcome == Err(Failure::TimedOut(SECOND))));
    assert!(quick.outcome.is_ok() && quick.took < SECOND / 2, "{quick:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2, "a name is looked up once at a time");
}

#[tokio::test]
async fn many_at_once_do_not_wait_for_each_other() {
    let receiver = TestReceiver::start().await;
    receiver.react(|request| match request.target.as_str() {
        "/slow" => Reaction::hang(),
        _ => Reaction::status(200).after(Duration::from_millis(100)),
    });
    let outbound = outbound();
    let urls: Vec<String> = (0..60).map(|n| receiver.url(if n % 3 == 0 { "/slow" } else { "/" })).collect();
    let began = Instant::now();
    let attempts = join_all(urls.iter().map(|url| post(&outbound, url))).await;
    assert!(began.elapsed() < 2 * SECOND, "{:?}", began.elapsed());
    let good = attempts.iter().filter(|attempt| attempt.outcome.is_ok()).count();
    assert_eq!(good, 40);
    assert_eq!(receiver.received().len(), 60);
}
