//! Addresses of files: of their bytes, for those who may have them. A private file's says until when it is good, and carries a
//! proof that only the server can make; it is made without asking what became of the file.

mod claim;

use antiphon_store::{File, Millis, PortalId};
use antiphon_wire::message::{Addresses, FILE_PATH};
use antiphon_wire::query::Query;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::App;
use crate::call::Call;
use crate::keys::Purpose;
pub use claim::Scaled;
use claim::{Claim, said};

/// How long an address in a message is good, and one that says nothing else.
pub const LIFE: Millis = 24 * 60 * 60 * 1000;

/// What stands in a path as it is.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a file's bytes. Only the ids count when it is called.
pub fn path(portal: PortalId, file: &File) -> String {
    format!("{FILE_PATH}{portal}/{}/{}", file.id, utf8_percent_encode(&file.name, IN_PATH))
}

/// Makes the addresses in what is being printed.
pub struct Links<'a> {
    app: &'a App,
    origin: &'a str,
    expires: Millis,
}

impl<'a> Links<'a> {
    /// For somebody who reaches the server there.
    pub fn new(app: &'a App, origin: &'a str) -> Self {
        Self { app, origin, expires: app.store.now() + LIFE }
    }

    /// For whoever calls.
    pub fn of(call: &'a Call) -> Self {
        Self::new(&call.app, &call.origin)
    }
}

impl Addresses for Links<'_> {
    fn write(&self, path: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.origin.as_bytes());
        out.extend_from_slice(path);
        if let Some(proof) = prove(self.app, identity(path), self.expires, Scaled::default()) {
            out.extend_from_slice(proof.as_bytes());
        }
    }
}

/// The part of a path that names the file.
fn identity(path: &[u8]) -> &[u8] {
    let end = path.iter().enumerate().filter(|(_, c)| **c == b'/').nth(3).map_or(path.len(), |(at, _)| at);
    &path[..end]
}

/// What stands behind a path to make it good until some time.
fn prove(app: &App, identity: &[u8], expires: Millis, scaled: Scaled) -> Option<String> {
    let signature = app.keys.sign(Purpose::FileUrl, &said(identity, expires, scaled)).ok()?;
    Some(Claim { expires, scaled, key: signature.key, mac: signature.mac.to_vec() }.printed())
}

/// An address that is good until some time.
pub fn signed(call: &Call, file: &File, expires: Millis, scaled: Scaled) -> String {
    let path = path(call.caller.portal(), file);
    let proof = prove(&call.app, identity(path.as_bytes()), expires, scaled).unwrap_or_default();
    format!("{}{path}{proof}", call.origin)
}

/// What an address proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    None,
    /// That it was good.
    Expired,
    Good(Scaled),
}

/// Judges the address of a file.
pub fn proof(app: &App, portal: i64, file: i64, query: &Query) -> Proof {
    let Some(claim) = Claim::read(query) else { return Proof::None };
    let said = said(format!("{FILE_PATH}{portal}/{file}").as_bytes(), claim.expires, claim.scaled);
    match app.keys.verify(Purpose::FileUrl, &said, claim.key, &claim.mac) {
        false => Proof::None,
        true if claim.expires <= app.store.now() => Proof::Expired,
        true => Proof::Good(claim.scaled),
    }
}

/// The file that one of our own addresses names.
pub fn named(url: &str) -> Option<(i64, i64)> {
    let rest = url.split_once("://")?.1;
    let path = rest.find('/').map(|at| &rest[at..])?;
    let mut parts = path.strip_prefix(FILE_PATH)?.split(['/', '?', '#']);
    let id = |text: Option<&str>| antiphon_wire::id::parse_path_id(text?, antiphon_wire::id::MAX_SAFE);
    Some((id(parts.next())?, id(parts.next())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_file_is_the_same() {
        let file = |name: &str| File { id: 7, name: name.into(), ..File::default() };
        let (one, other) = (path(PortalId(3), &file("a b/\"ü.png")), path(PortalId(3), &file("c")));
        assert_eq!(one, "/files/3/7/a%20b%2F%22%C3%BC.png");
        assert_eq!(identity(one.as_bytes()), identity(other.as_bytes()));
        assert_eq!(identity(one.as_bytes()), b"/files/3/7");
        assert_eq!(named("https://inbox.test/files/3/7/c?x=1"), Some((3, 7)));
        assert_eq!(named("https://inbox.test/files/3/7"), Some((3, 7)));
        assert_eq!(named("https://inbox.test/files/v3/7/c"), None);
        assert_eq!(named("/files/3/7/c"), None);
    }
}
