//! Compression, both ways.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Smaller bodies fit a packet as they are.
const WORTHWHILE: usize = 1024;

/// The body packed, when the client asked for that and it is worth it.
pub fn packed(headers: &HeaderMap, body: &[u8]) -> Option<Bytes> {
    if body.len() < WORTHWHILE || !accepts(headers, "gzip") {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// Why a packed body cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable {
    TooLarge,
    NotGzip,
}

/// Unpacks a request body, never past the limit.
pub fn unpacked(body: &[u8], limit: usize) -> Result<Bytes, Unreadable> {
    let mut plain = Vec::new();
    let read = MultiGzDecoder::new(body).take(limit as u64 + 1).read_to_end(&mut plain);
    match read {
        Ok(_) if plain.len() > limit => Err(Unreadable::TooLarge),
        Ok(_) => Ok(plain.into()),
        Err(_) => Err(Unreadable::NotGzip),
    }
}

/// Whether the client takes a coding.
pub fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|one| {
            let mut parts = one.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused =
                parts.any(|p| matches!(p.strip_prefix("q=").map(str::parse::<f32>), Some(Ok(q)) if q <= 0.0));
            let old = coding == "gzip" && name.eq_ignore_ascii_case("x-gzip");
            (name.eq_ignore_ascii_case(coding) || old || name == "*") && !refused
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_ask() {
        for (header, expected) in [
            ("gzip, deflate, br", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0, br", false),
            ("identity", false),
            ("*", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, header.parse().unwrap());
            assert_eq!(accepts(&headers, "gzip"), expected, "{header}");
        }
    }

    #[test]
    fn other_codings_are_asked_for_by_their_names() {
        for (header, expected) in
            [("gzip, br", true), ("gzip", false), ("BR;q=1.0", true), ("br;q=0, *", true)]
        {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, header.parse().unwrap())]);
            assert_eq!(accepts(&headers, "br"), expected, "{header}");
        }
    }

    #[test]
    fn bodies_survive_the_round_trip_within_the_limit() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, "gzip".parse().unwrap());
        let body = vec![b'a'; 5000];
        let small = packed(&headers, &body).unwrap();
        assert!(small.len() < 100);
        assert_eq!(unpacked(&small, 5000).unwrap(), body);
        assert_eq!(unpacked(&small, 4999), Err(Unreadable::TooLarge));
        assert_eq!(unpacked(b"{}", 5000), Err(Unreadable::NotGzip));
        assert_eq!(packed(&headers, b"{}"), None);
    }
}
