//! How signatures of issuers are checked: by the library that encrypts our connections, and with nothing but public keys.
//! There is no way here to check a signature with a shared secret, whatever a word says of itself.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature as checks;

/// How issuers may sign: nothing that somebody could make who knows only what everybody knows.
pub const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // What nobody here asks for: it is about keys in files, and thumbprints.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has words checked so, in this process. Harmless to repeat.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if PROVIDER.install_default().is_err() {
            tracing::error!("signatures of issuers are checked by something else already");
        }
    });
}

/// Nothing is signed here.
fn signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if !ALGORITHMS.contains(algorithm) || key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(Check { algorithm: *algorithm, key: key.clone() }))
}

/// One signature that is to be checked.
struct Check {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], sent: &Vec<u8>) -> std::result::Result<(), Error> {
        let checked = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let key = checks::RsaPublicKeyComponents { n, e };
                key.verify(rsa(self.algorithm).ok_or_else(Error::new)?, message, sent)
            }
            DecodingKeyKind::SecretOrDer(bytes) => {
                let key =
                    checks::UnparsedPublicKey::new(curve(self.algorithm).ok_or_else(Error::new)?, bytes);
                key.verify(message, sent)
            }
        };
        checked.map_err(|_| Error::new())
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static checks::RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &checks::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &checks::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &checks::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &checks::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &checks::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &checks::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn checks::VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::ES256 => &checks::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &checks::ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDSA => &checks::ED25519,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;

    use super::*;

    /// Words that another library has signed, each with its key.
    const SIGNED: &str = include_str!("signed.json");

    #[test]
    fn what_others_signed_is_known_and_nothing_else_is() {
        let samples: Vec<(String, Jwk, String)> = serde_json::from_str(SIGNED).unwrap();
        assert_eq!(samples.len(), ALGORITHMS.len());
        for (name, key, word) in &samples {
            let algorithm: Algorithm = name.parse().unwrap();
            let (message, sent) = word.rsplit_once('.').unwrap();
            let sent = base64(sent);
            let key = DecodingKey::from_jwk(key).unwrap();
            let check = verifier(&algorithm, &key).unwrap();
            assert_eq!(check.algorithm(), algorithm);
            assert!(check.verify(message.as_bytes(), &sent).is_ok(), "{name}");
            assert!(check.verify(format!("{message}x").as_bytes(), &sent).is_err(), "{name}");
            for wrong in [Vec::new(), vec![0; sent.len()], sent[1..].to_vec()] {
                assert!(check.verify(message.as_bytes(), &wrong).is_err(), "{name}");
            }
            // The same bytes said to be signed otherwise.
            for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
                let same =
                    verifier(&other, &key).and_then(|check| Ok(check.verify(message.as_bytes(), &sent)?));
                assert!(same.is_err(), "{name} as {other:?}");
            }
        }
    }

    #[test]
    fn there_are_no_shared_secrets() {
        let secret = DecodingKey::from_secret(b"known to everybody");
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            assert!(verifier(&algorithm, &secret).is_err(), "{algorithm:?}");
        }
        for algorithm in ALGORITHMS {
            assert!(verifier(&algorithm, &secret).is_err(), "{algorithm:?}");
        }
        assert!("none".parse::<Algorithm>().is_err());
    }

    fn base64(text: &str) -> Vec<u8> {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
    }
}
