//! Signatures by which a receiver knows that a request is from here. Nothing else is computed here, and nothing is kept.

use antiphon_store::Millis;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha2::{Digest, Sha256};

use crate::outbound::TargetUrl;

/// The signature that older receivers check, beside v3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// What webhooks of apps carry.
    V1,
    /// What events of custom channels carry.
    V2,
}

/// The headers of one request, signed at `at`. Each attempt is signed anew: a receiver refuses what is older than five minutes.
pub fn headers(
    older: Older,
    secret: &str,
    method: &Method,
    target: &TargetUrl,
    body: &[u8],
    at: Millis,
) -> [(&'static str, String); 4] {
    let (version, signature) = match older {
        Older::V1 => ("v1", v1(secret, body)),
        Older::V2 => ("v2", v2(secret, method, target, body)),
    };
    [
        ("x-hubspot-signature", signature),
        ("x-hubspot-signature-version", version.into()),
        ("x-hubspot-signature-v3", v3(secret, method, target, body, at)),
        ("x-hubspot-request-timestamp", at.to_string()),
    ]
}

pub fn v1(secret: &str, body: &[u8]) -> String {
    hex(Sha256::new().chain_update(secret).chain_update(body))
}

pub fn v2(secret: &str, method: &Method, target: &TargetUrl, body: &[u8]) -> String {
    let hash = Sha256::new().chain_update(secret).chain_update(method.as_str()).chain_update(target.as_str());
    hex(hash.chain_update(body))
}

pub fn v3(secret: &str, method: &Method, target: &TargetUrl, body: &[u8], at: Millis) -> String {
    v3_of(secret, method.as_str(), &target.decoded(), body, &at.to_string())
}

fn v3_of(secret: &str, method: &str, uri: &str, body: &[u8], at: &str) -> String {
    // A key of any length will do.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    let mac = mac.chain_update(method).chain_update(uri).chain_update(body).chain_update(at);
    STANDARD.encode(mac.finalize().into_bytes())
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "8c1f0f0e-5a55-4c0a-9a7e-0b6f5d2f1a10";
    const AT: Millis = 1_767_225_600_123;
    const BODY: &str = r#"[{"eventId":1001,"subscriptionId":25,"portalId":90210,"appId":4711,"occurredAt":1767225600000,"subscriptionType":"conversation.creation","attemptNumber":0,"objectId":5501}]"#;
    const UMLAUTS: &str = r#"[{"text":"Grüße ☕"}]"#;
    const PLAIN: &str = "https://bot.example.org/hooks/inbox";
    const ESCAPED: &str = "https://bot.example.org/hooks/inbox?team=caf%C3%A9&next=%2Fhome%3Fx%3D1";

    fn target(url: &str) -> TargetUrl {
        TargetUrl::parse(url).unwrap()
    }

    #[test]
    fn signatures_are_those_that_receivers_expect() {
        let v3 = |url, body: &str| v3(SECRET, &Method::POST, &target(url), body.as_bytes(), AT);
        assert_eq!(
            v1(SECRET, BODY.as_bytes()),
            "74332c9725dfd884d0605e5fc415aef52563ecccb95965cbcc873ac8c4f6c73c"
        );
        assert_eq!(
            v1(SECRET, UMLAUTS.as_bytes()),
            "191e7aa22f889d837c4d5d0e2c88480ab5873eaf3b627a0a1af09cf6c71af77c"
        );
        assert_eq!(
            v2(SECRET, &Method::POST, &target(PLAIN), BODY.as_bytes()),
            "8efdc5a08806d7669c717da0a9cb0c1cdbb07d56ba4c4292a00a5595647d762f"
        );
        assert_eq!(
            v2(SECRET, &Method::GET, &target("https://bot.example.org/card?userId=12&portalId=90210"), b""),
            "a64796b59d228b87361a88567fbfcdeb9d78f8b69bc888cda8824155792b0da0"
        );
        assert_eq!(v3(PLAIN, BODY), "b0ORpRfeDjrpCQwuothTFDikah3Yz/uRgXOl7veXcyg=");
        assert_eq!(v3(PLAIN, UMLAUTS), "EDUoR/S3ozglteMyGYbErMaFfszkcB8RIgjCERFTu/k=");
        assert_eq!(v3(ESCAPED, BODY), "gsSpXDa6eBFYhbNzYN64HELHFkW401PQnFQ40dqejD4=");
    }

    #[test]
    fn what_is_signed_is_what_is_sent() {
        let sent = target(ESCAPED);
        let on_the_wire = v3_of(SECRET, "POST", sent.as_str(), BODY.as_bytes(), &AT.to_string());
        assert_eq!(on_the_wire, v3(SECRET, &Method::POST, &sent, BODY.as_bytes(), AT));
        // The URL as it was given makes another signature, which is why it is not sent like that.
        let as_given = v3_of(SECRET, "POST", ESCAPED, BODY.as_bytes(), &AT.to_string());
        assert_eq!(as_given, "5k+I+cXBfVWar62KA5VaFSCyzHmeoEoHqpvT6gPvScQ=");
    }

    #[test]
    fn two_signatures_stand_side_by_side() {
        let target = target(PLAIN);
        let of = |older| headers(older, SECRET, &Method::POST, &target, BODY.as_bytes(), AT);
        let [old, version, new, at] = of(Older::V1);
        assert_eq!(old, ("x-hubspot-signature", v1(SECRET, BODY.as_bytes())));
        assert_eq!(version.1, "v1");
        assert_eq!(new, ("x-hubspot-signature-v3", v3(SECRET, &Method::POST, &target, BODY.as_bytes(), AT)));
        assert_eq!(at, ("x-hubspot-request-timestamp", "1767225600123".into()));
        let [old, version, ..] = of(Older::V2);
        assert_eq!((old.1, version.1.as_str()), (v2(SECRET, &Method::POST, &target, BODY.as_bytes()), "v2"));
    }
}
