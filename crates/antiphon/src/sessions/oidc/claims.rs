//! What the issuer says of somebody, once it is known that the issuer says it.

use antiphon_wire::message::DeliveryIdentifierType;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::ring::ALGORITHMS;
use crate::config;

/// What is said of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    #[serde(default)]
    pub aud: Audience,
    #[serde(default)]
    pub nonce: Option<String>,
    #[serde(default)]
    pub azp: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub email_verified: Option<Verified>,
    #[serde(default)]
    pub name: Option<String>,
}

/// For whom it is said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// Some issuers write it as a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Verified {
    Said(bool),
    Written(String),
}

impl Verified {
    fn is(&self) -> bool {
        match self {
            Self::Said(said) => *said,
            Self::Written(text) => text == "true",
        }
    }
}

/// Somebody as the issuer knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The issuer, and whom it means.
    pub subject: String,
    pub email: String,
    pub name: String,
    /// Whether somebody may be made an agent who is none.
    pub welcome: bool,
}

/// What is wrong with the issuer's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// It is signed with a key that is not known: there may be a new one.
    Key,
    Word(String),
}

/// Reads the issuer's word: signed by one of its keys, for us, in time, and for this journey.
///
/// # Errors
/// What is wrong with it, for the operator.
pub fn read(token: &str, keys: &[Jwk], config: &config::Oidc, nonce: &str) -> Result<Claims, Wrong> {
    let word = |error: jsonwebtoken::errors::Error| Wrong::Word(error.to_string());
    let header = decode_header(token).map_err(word)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Wrong::Word(format!("it is signed by {:?}", header.alg)));
    }
    if header.crit.is_some() {
        return Err(Wrong::Word("it says what would have to be understood".into()));
    }
    let key = key(keys, header.kid.as_deref(), header.alg).ok_or(Wrong::Key)?;
    let key = DecodingKey::from_jwk(key).map_err(word)?;
    let mut wanted = Validation::new(header.alg);
    wanted.set_issuer(&[&config.issuer]);
    wanted.set_audience(&[&config.client_id]);
    wanted.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    wanted.validate_nbf = true;
    let claims = decode::<Claims>(token, &key, &wanted).map_err(word)?.claims;
    if claims.nonce.as_deref() != Some(nonce) {
        return Err(Wrong::Word("its nonce is another one".into()));
    }
    let several = matches!(&claims.aud, Audience::Several(all) if all.len() > 1);
    if claims.azp.as_ref().map_or(several, |azp| *azp != config.client_id) {
        return Err(Wrong::Word("it was given to another client".into()));
    }
    if claims.sub.is_empty() || claims.sub.len() > 255 {
        return Err(Wrong::Word("its subject is none".into()));
    }
    Ok(claims)
}

/// The key that is named, or the only one there can be; none that is for something else.
fn key<'k>(keys: &'k [Jwk], named: Option<&str>, algorithm: Algorithm) -> Option<&'k Jwk> {
    let signs = |key: &&Jwk| {
        let common = &key.common;
        !matches!(common.public_key_use, Some(PublicKeyUse::Encryption))
            && common.key_algorithm.is_none_or(|alg| alg.to_string() == format!("{algorithm:?}"))
    };
    let mut fitting = keys.iter().filter(signs);
    match named {
        Some(_) => fitting.find(|key| key.common.key_id.as_deref() == named),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

impl Claims {
    /// Who it is, if the issuer knows whose address that is.
    pub fn who(&self, config: &config::Oidc) -> Option<Who> {
        let verified = config.unverified || self.email_verified.as_ref().is_some_and(Verified::is);
        let email = self
            .email
            .as_deref()
            .map(str::trim)
            .filter(|email| verified && DeliveryIdentifierType::Email.accepts(email))?;
        let domain = email.rsplit_once('@').map(|(_, domain)| domain).unwrap_or_default();
        // Whoever lists no domains has everybody invited by hand: an issuer may know the whole world.
        let welcome = config.domains.iter().any(|one| one.eq_ignore_ascii_case(domain));
        let name = self.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or(email);
        let name = name.chars().filter(|c| !c.is_control()).take(255).collect();
        let subject = format!("{} {}", config.issuer, self.sub);
        Some(Who { subject, email: email.to_owned(), name, welcome })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;
    use crate::sessions::oidc::ring::install;

    fn config(domains: &[&str], unverified: bool) -> config::Oidc {
        config::Oidc { unverified, ..config::Oidc::test(domains) }
    }

    fn claims(body: &str) -> Claims {
        let mut claims: Value = serde_json::from_str(body).unwrap();
        claims["iss"] = "https://id.example".into();
        claims["sub"] = "7".into();
        serde_json::from_value(claims).unwrap()
    }

    #[test]
    fn whose_address_it_is() {
        let (any, listed) = (config(&[], false), config(&["acme.example"], false));
        for (body, config, welcome) in [
            (r#"{ "email": "mia@acme.example", "email_verified": true }"#, &any, Some(false)),
            (r#"{ "email": "mia@acme.example", "email_verified": "true" }"#, &any, Some(false)),
            (r#"{ "email": "mia@acme.example", "email_verified": true }"#, &listed, Some(true)),
            (r#"{ "email": "mia@ACME.example", "email_verified": true }"#, &listed, Some(true)),
            (r#"{ "email": "eve@evil.example", "email_verified": true }"#, &listed, Some(false)),
            (r#"{ "email": "eve@sub.acme.example", "email_verified": true }"#, &listed, Some(false)),
            (r#"{ "email": "eve@acme.example@evil.example", "email_verified": true }"#, &listed, None),
            (r#"{ "email": "eve@evil.example@acme.example", "email_verified": true }"#, &listed, None),
            (r#"{ "email": "eve @acme.example", "email_verified": true }"#, &listed, None),
            (r#"{ "email": "@acme.example", "email_verified": true }"#, &listed, None),
            (r#"{ "email": "mia@acme.example" }"#, &listed, None),
            (r#"{ "email": "mia@acme.example", "email_verified": false }"#, &listed, None),
            (r#"{ "email": "mia@acme.example", "email_verified": "false" }"#, &any, None),
            (r#"{ "email_verified": true }"#, &any, None),
            (r#"{ "email": "mia@acme.example" }"#, &config(&["acme.example"], true), Some(true)),
        ] {
            assert_eq!(claims(body).who(config).map(|who| who.welcome), welcome, "{body}");
        }
        let who = claims(r#"{ "email": "mia@acme.example", "email_verified": true, "name": " Mia\u0007 " }"#);
        let who = who.who(&any).unwrap();
        assert_eq!((who.name.as_str(), who.subject.as_str()), ("Mia", "https://id.example 7"));
    }

    /// An issuer with one key.
    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Self {
            let (way, dice) = (&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
            let made = EcdsaKeyPair::generate_pkcs8(way, dice).unwrap();
            Self(EcdsaKeyPair::from_pkcs8(way, made.as_ref(), dice).unwrap())
        }

        fn key(&self, more: Value) -> Jwk {
            let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
            let mut key = json!({ "kty": "EC", "crv": "P-256", "kid": "1",
                                  "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
            key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(key).unwrap()
        }

        fn word(&self, header: Value, claims: &Value) -> String {
            let said =
                [header.to_string(), claims.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
            let signed = self.0.sign(&SystemRandom::new(), said.as_bytes()).unwrap();
            format!("{said}.{}", URL_SAFE_NO_PAD.encode(signed))
        }
    }

    fn good(more: Value) -> Value {
        let now = jsonwebtoken::get_current_timestamp();
        let mut claims = json!({ "iss": "https://id.example", "sub": "7", "aud": "antiphon", "nonce": "n",
                                 "exp": now + 300, "iat": now });
        for (name, value) in more.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        claims
    }

    #[test]
    fn a_word_is_for_us_in_time_and_for_this_journey() {
        install();
        let (issuer, config) = (Signer::new(), config(&[], false));
        let (keys, now) = ([issuer.key(json!({}))], jsonwebtoken::get_current_timestamp());
        let header = json!({ "alg": "ES256", "kid": "1" });
        for (more, fine) in [
            (json!({}), true),
            (json!({ "aud": ["antiphon"] }), true),
            (json!({ "azp": "antiphon" }), true),
            (json!({ "aud": ["antiphon", "other"], "azp": "antiphon" }), true),
            (json!({ "nbf": now - 5 }), true),
            (json!({ "aud": ["antiphon", "other"] }), false),
            (json!({ "aud": "other" }), false),
            (json!({ "aud": null }), false),
            (json!({ "aud": [] }), false),
            (json!({ "azp": "other" }), false),
            (json!({ "iss": "https://id.example/" }), false),
            (json!({ "iss": ["https://id.example", "https://evil.example"] }), false),
            (json!({ "iss": null }), false),
            (json!({ "nonce": "m" }), false),
            (json!({ "nonce": null }), false),
            (json!({ "exp": now - 300 }), false),
            (json!({ "exp": null }), false),
            (json!({ "exp": "9999999999" }), false),
            (json!({ "nbf": now + 300 }), false),
            (json!({ "nbf": "9999999999" }), false),
            (json!({ "sub": "" }), false),
            (json!({ "sub": null }), false),
            (json!({ "sub": "7".repeat(256) }), false),
        ] {
            let read = read(&issuer.word(header.clone(), &good(more.clone())), &keys, &config, "n");
            assert_eq!(read.is_ok(), fine, "{more}: {read:?}");
        }
        // Whatever is no word at all.
        for wrong in ["", ".", "..", "a.b.c", "e30.e30.", &"A".repeat(10_000)] {
            assert!(read(wrong, &keys, &config, "n").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_word_is_signed_by_the_issuer_with_a_key_that_is_for_it() {
        install();
        let (issuer, eve, config) = (Signer::new(), Signer::new(), config(&[], false));
        let (plain, good) = (issuer.key(json!({})), good(json!({})));
        let header = |more: Value| {
            let mut header = json!({ "alg": "ES256", "kid": "1" });
            header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            header
        };
        let told = |word: &str, keys: &[Jwk]| match read(word, keys, &config, "n") {
            Ok(_) => "fine",
            Err(Wrong::Key) => "no key",
            Err(Wrong::Word(_)) => "wrong",
        };
        let word = issuer.word(header(json!({})), &good);
        let nameless = issuer.word(json!({ "alg": "ES256" }), &good);
        let evil = eve.key(json!({ "kid": "2" }));
        for (what, word, keys, expected) in [
            ("its key", &word, vec![plain.clone()], "fine"),
            ("the only key", &nameless, vec![plain.clone()], "fine"),
            (
                "the only key that signs",
                &nameless,
                vec![eve.key(json!({ "use": "enc" })), plain.clone()],
                "fine",
            ),
            ("one of two keys", &nameless, vec![plain.clone(), evil.clone()], "no key"),
            ("another key", &word, vec![evil.clone()], "no key"),
            ("a key of the same name", &word, vec![eve.key(json!({}))], "wrong"),
            ("a key that encrypts", &word, vec![issuer.key(json!({ "use": "enc" }))], "no key"),
            ("a key for another way", &word, vec![issuer.key(json!({ "alg": "ES384" }))], "no key"),
            ("no key", &word, vec![], "no key"),
            (
                "a key that it brings",
                &eve.word(header(json!({ "jwk": eve.key(json!({})) })), &good),
                vec![plain.clone()],
                "wrong",
            ),
            (
                "more to understand",
                &issuer.word(header(json!({ "crit": ["b64"] })), &good),
                vec![plain.clone()],
                "wrong",
            ),
            (
                "another way",
                &issuer.word(header(json!({ "alg": "RS256" })), &good),
                vec![plain.clone()],
                "wrong",
            ),
        ] {
            assert_eq!(told(word, &keys), expected, "{what}");
        }
        // Not signed at all, and signed with what everybody knows.
        let (_, body) = word.split_once('.').unwrap();
        let (body, signature) = body.split_once('.').unwrap();
        let point = issuer.0.public_key().as_ref();
        for alg in ["none", "None", "HS256", "HS384", "HS512"] {
            let said =
                format!("{}.{body}", URL_SAFE_NO_PAD.encode(header(json!({ "alg": alg })).to_string()));
            let mac =
                ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, point), said.as_bytes());
            for signature in ["", signature, &URL_SAFE_NO_PAD.encode(mac)] {
                assert_eq!(
                    told(&format!("{said}.{signature}"), std::slice::from_ref(&plain)),
                    "wrong",
                    "{alg}"
                );
            }
        }
    }
}
