//! What an address of a file says of itself, and how: it is signed as it is said here, and read back as it was printed.

use antiphon_wire::files::ImageSize;
use antiphon_wire::query::Query;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// As what a picture is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scaled {
    pub size: Option<ImageSize>,
    pub upscale: bool,
}

/// Until when an address is good, for what, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Time in milliseconds.
    pub expires: i64,
    pub scaled: Scaled,
    /// The id of the key that it is signed with.
    pub key: i64,
    pub mac: Vec<u8>,
}

/// What is signed: no two addresses say the same.
pub fn said(identity: &[u8], expires: i64, scaled: Scaled) -> Vec<u8> {
    let size = scaled.size.map_or("", ImageSize::as_str);
    let mut said = identity.to_vec();
    said.extend_from_slice(format!("\n{expires}\n{size}\n{}", scaled.upscale).as_bytes());
    said
}

impl Claim {
    /// Reads a query, if it claims anything.
    pub fn read(query: &Query) -> Option<Self> {
        let expires = query.int("expires").ok()??;
        let key = query.int("key").ok()??;
        let mac = URL_SAFE_NO_PAD.decode(query.scalar("signature")?).ok()?;
        let size = match query.scalar("size") {
            Some(size) => Some(ImageSize::ALL.iter().copied().find(|one| one.as_str() == size)?),
            None => None,
        };
        let scaled = Scaled { size, upscale: query.scalar("upscale") == Some("true") };
        Some(Self { expires, scaled, key, mac })
    }

    /// The query, with its question mark.
    pub fn printed(&self) -> String {
        let size = self.scaled.size.map_or_else(String::new, |size| format!("&size={}", size.as_str()));
        let upscale = if self.scaled.upscale { "&upscale=true" } else { "" };
        let mac = URL_SAFE_NO_PAD.encode(&self.mac);
        format!("?expires={}{size}{upscale}&key={}&signature={mac}", self.expires, self.key)
    }
}
