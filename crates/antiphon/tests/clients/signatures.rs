//! What our own signatures are held against: requests as they would be sent, for the official clients' verification.

use std::time::UNIX_EPOCH;

use antiphon::outbound::TargetUrl;
use antiphon::webhooks::sign;
use antiphon_store::Millis;
use http::Method;
use serde_json::{Value, json};

const URLS: [&str; 9] = [
    "https://bot.example.org/hooks/inbox",
    "https://Bot.Example.org:443",
    "https://bot.example.org:8443/?",
    "https://bücher.example/é?ü=ß#part",
    "https://bot.example.org/hooks?team=caf%C3%A9&next=%2Fhome%3Fx%3D1",
    "https://bot.example.org/?a=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B&b=%3a%2f%3f&c=%20%26%2B%253A",
    "https://bot.example.org/?b=2&a=1&a=0&&empty=&plus=a+b&pipe=a|b",
    "http://127.0.0.1:9/hook",
    // The clients do not undo escapes, and here they stay.
    "https://bot.example.org/a%2Fb",
];
const BODIES: [&str; 4] =
    ["", "[]", r#"[{"text":"Grüße ☕ 👋 \u0000 \"'\\"}]"#, "[{\"text\":\"two\nlines\u{2028}\"}]"];
const SECRETS: [&str; 2] = ["8c1f0f0e-5a55-4c0a-9a7e-0b6f5d2f1a10", "ß geheim"];

/// Everything with everything, just now; and one that is too old.
pub fn cases() -> Value {
    let now = Millis::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let mut cases = Vec::new();
    for url in URLS {
        for body in BODIES {
            for secret in SECRETS {
                cases.push(case(url, body, secret, now));
            }
        }
    }
    let old = case(URLS[0], BODIES[1], SECRETS[0], now - 301_000);
    json!({ "cases": cases, "old": old })
}

fn case(url: &str, body: &str, secret: &str, at: Millis) -> Value {
    let target = TargetUrl::parse(url).unwrap();
    let (method, bytes) = (Method::POST, body.as_bytes());
    json!({
        "url": target.as_str(),
        "method": method.as_str(),
        "body": body,
        "secret": secret,
        "timestamp": at.to_string(),
        "v1": sign::v1(secret, bytes),
        "v2": sign::v2(secret, &method, &target, bytes),
        "v3": sign::v3(secret, &method, &target, bytes, at),
        "undone": target.decoded() != target.as_str(),
    })
}
