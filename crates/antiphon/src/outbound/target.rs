//! Where a request goes: a URL in the form that is sent, which is the form that is signed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// Most bytes of a URL, as given and as sent.
pub const MAX_LENGTH: usize = 2048;

const NOT_ABSOLUTE: &str = "Write an absolute URL, such as https://bot.example.org/hooks";
const HOST: &str =
    "Write the host as a name, as four decimal numbers, or as an IPv6 address in square brackets";

/// A URL that requests can be sent to, in its one normal form.
///
/// Some receivers undo certain percent escapes before they check a signature, and others do not. In the query these are
/// undone here once and for all, so that all compute the same. In the path that would name something else; there they stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetUrl {
    text: String,
    uri: Uri,
}

impl TargetUrl {
    /// Reads a URL as somebody typed it.
    ///
    /// # Errors
    /// One sentence that says what to write instead.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_ascii();
        if text.len() > MAX_LENGTH {
            return Err("Write a URL of at most 2048 bytes");
        }
        if text.bytes().any(|c| c <= b' ' || c == b'\\' || c == 0x7f) {
            return Err("Write a URL without spaces, backslashes and control characters");
        }
        let (scheme, rest) = text.split_once("://").ok_or(NOT_ABSOLUTE)?;
        let (scheme, usual_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => ("https", 443),
            "http" => ("http", 80),
            _ => return Err("Write a URL that begins with https://"),
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _fragment)| rest);
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = host_and_port(authority, usual_port)?;
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));

        let mut normal = format!("{scheme}://{host}{port}");
        normal.push_str(if path.is_empty() { "/" } else { "" });
        escape(path, &mut normal);
        if let Some(query) = query {
            normal.push('?');
            escape(&decoded(query), &mut normal);
        }
        if normal.len() > MAX_LENGTH {
            return Err(
                "Write a shorter URL: with its special characters escaped it has more than 2048 bytes",
            );
        }
        match Uri::try_from(normal.as_str()) {
            Ok(uri) => Ok(Self { text: normal, uri }),
            Err(_) => Err(NOT_ABSOLUTE),
        }
    }

    /// The URL as it is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL as v3 signs it.
    pub fn decoded(&self) -> String {
        decoded(&self.text)
    }

    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default().trim_matches(['[', ']'])
    }

    /// The address, where the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host().parse().ok()
    }

    pub fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

/// The host in small ASCII letters, and the port with its colon unless it is the usual one.
fn host_and_port(authority: &str, usual: u16) -> Result<(String, String), &'static str> {
    if authority.contains('@') {
        return Err("Write a URL without a user name and password");
    }
    let end_of_host = authority.rfind(']').map_or(0, |end| end + 1);
    let colon = authority[end_of_host..].find(':').map(|at| end_of_host + at);
    let (host, port) = colon.map_or((authority, ""), |at| (&authority[..at], &authority[at + 1..]));
    let port = match port {
        "" => usual,
        digits if digits.bytes().all(|c| c.is_ascii_digit()) => digits.parse().unwrap_or(0),
        _ => 0,
    };
    if port == 0 {
        return Err("Write a port between 1 and 65535");
    }
    let port = if port == usual { String::new() } else { format!(":{port}") };
    Ok((normal_host(host)?, port))
}

fn normal_host(host: &str) -> Result<String, &'static str> {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address.map(|address| format!("[{address}]")).ok_or(HOST);
    }
    let host = idna::domain_to_ascii_cow(host.as_bytes(), idna::AsciiDenyList::URL).map_err(|_| HOST)?;
    let name = host.strip_suffix('.').unwrap_or(&host);
    let fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
    };
    if name.len() > 253 || !name.split('.').all(fits) {
        return Err(HOST);
    }
    // A resolver takes 2130706433, 0177.1 and 0x7f.1 for addresses as well. Whoever means an address writes it as such.
    let last = name.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|c| c.is_ascii_hexdigit()));
    if (hex || last.bytes().all(|c| c.is_ascii_digit())) && host.parse::<Ipv4Addr>().is_err() {
        return Err(HOST);
    }
    Ok(host.into_owned())
}

/// Escapes what may not stand in a URL as it is.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_ascii() && !b"\"<>^`{|}".contains(&(c as u8)) {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}

/// Undoes twelve percent escapes and no other.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let plain = rest.get(at + 1..at + 3).and_then(plain);
        out.push(plain.unwrap_or('%'));
        rest = &rest[at + if plain.is_some() { 3 } else { 1 }..];
    }
    out + rest
}

fn plain(digits: &str) -> Option<char> {
    let byte = u8::from_str_radix(digits, 16).ok()?;
    b":/?@!$'()*,;".contains(&byte).then(|| char::from(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_has_one_form() {
        for (given, sent) in [
            ("https://bot.example.org", "https://bot.example.org/"),
            ("HTTPS://Bot.Example.ORG:443?a=1", "https://bot.example.org/?a=1"),
            ("http://bot.example.org:80/x#part?y", "http://bot.example.org/x"),
            ("https://bot.example.org:08443/", "https://bot.example.org:8443/"),
            ("https://bot.example.org:/", "https://bot.example.org/"),
            ("https://bot.example.org./", "https://bot.example.org./"),
            ("  https://my_bot.example.org/x \n", "https://my_bot.example.org/x"),
            ("https://a.b/x%2Fy%3Fz/../.", "https://a.b/x%2Fy%3Fz/../."),
            ("https://a.b/?%3a%2F%3F%40%21%24%27%28%29%2A%2C%3B", "https://a.b/?:/?@!$'()*,;"),
            (
                "https://a.b/?x=%20%C3%A9%3D%26%2B%25%23&&y&=%2",
                "https://a.b/?x=%20%C3%A9%3D%26%2B%25%23&&y&=%2",
            ),
            ("https://a.b/?%253A%%3A%2%3a", "https://a.b/?%253A%:%2:"),
            ("https://a.b/?next=/a?b", "https://a.b/?next=/a?b"),
            ("https://a.b?", "https://a.b/?"),
            ("https://a.b/é\"x?{ü}", "https://a.b/%C3%A9%22x?%7B%C3%BC%7D"),
            ("https://Bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://１２７.0.0.1/", "https://127.0.0.1/"),
            ("https://127.0.0.1:9/", "https://127.0.0.1:9/"),
            ("https://[0:0::1]:443/", "https://[::1]/"),
            ("https://[::FFFF:10.0.0.1]:444", "https://[::ffff:10.0.0.1]:444/"),
            ("https://1.example/", "https://1.example/"),
            ("https://0xcafe.example/", "https://0xcafe.example/"),
        ] {
            let target = TargetUrl::parse(given).unwrap_or_else(|e| panic!("{given}: {e}"));
            assert_eq!(target.as_str(), sent, "{given}");
            assert_eq!(target.uri().to_string(), sent, "{given}");
        }
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused_in_words() {
        let long = format!("https://a.b/{}", "x".repeat(MAX_LENGTH));
        let grows = format!("https://a.b/{}", "é".repeat(600));
        let label = format!("https://{}.b/", "x".repeat(64));
        let name = format!("https://{}b/", "xyz.".repeat(70));
        for (given, word) in [
            ("", "absolute"),
            ("bot.example.org/x", "absolute"),
            ("//bot.example.org/x", "absolute"),
            ("/x", "absolute"),
            ("ftp://bot.example.org/", "https"),
            ("javascript://x/", "https"),
            ("https://", "host"),
            ("https:///x", "host"),
            ("https://?x", "host"),
            ("https://a..b/", "host"),
            ("https://.a/", "host"),
            ("https://a%2Fb/", "host"),
            ("https://a!b/", "host"),
            ("https://xn--a/", "host"),
            ("https://[::1/", "port"),
            ("https://[fe80::1%25eth0]/", "host"),
            ("https://::1/", "port"),
            ("https://2130706433/", "host"),
            ("https://0177.0.0.1/", "host"),
            ("https://127.1/", "host"),
            ("https://0x7f.1/", "host"),
            ("https://0x7F000001/", "host"),
            ("https://1.2.3.0x/", "host"),
            ("https://256.1.1.1/", "host"),
            ("https://127.0.0.1./", "host"),
            (&label, "host"),
            (&name, "host"),
            ("https://me:secret@a.b/", "password"),
            ("https://a.b@c.d/", "password"),
            ("https://a.b:0/", "port"),
            ("https://a.b:65536/", "port"),
            ("https://a.b:+80/", "port"),
            ("https://a.b:80:80/", "port"),
            ("https://a.b/x y", "spaces"),
            ("https://a.b/x\r\nhost: c", "spaces"),
            ("https://a.b\\@c.d/", "backslashes"),
            (&long, "2048"),
            (&grows, "2048"),
        ] {
            let error = TargetUrl::parse(given).map(|target| target.text).unwrap_err();
            assert!(error.contains(word), "{given}: {error}");
        }
    }

    #[test]
    fn in_the_path_escapes_are_undone_for_v3_only() {
        let target = TargetUrl::parse("https://a.b/x%2Fy%20z?q=%2F").unwrap();
        assert_eq!(
            (target.as_str(), target.decoded().as_str()),
            ("https://a.b/x%2Fy%20z?q=/", "https://a.b/x/y%20z?q=/")
        );
    }

    /// Text made of what URLs are made of, and of what they are attacked with.
    fn like_a_url() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "https://",
            "http://",
            "a",
            "B",
            ".",
            ":",
            "80",
            "443",
            "/",
            "//",
            "?",
            "#",
            "@",
            "%",
            "%2F",
            "%3a",
            "%25",
            "2",
            "3A",
            "[",
            "]",
            "::1",
            "127.0.0.1",
            "0x7f",
            "\\",
            " ",
            "\n",
            "é",
            "ß",
            "。",
            "\u{200d}",
            "&",
            "=",
            "xn--",
            "-",
            "{",
            "\"",
            "\u{0}",
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn the_form_of_a_form_is_itself(text in prop_oneof![
            like_a_url(),
            like_a_url().prop_map(|rest| format!("https://a.b{rest}")),
            any::<String>(),
            any::<String>().prop_map(|rest| format!("https://a.b/{rest}")),
        ]) {
            if let Ok(target) = TargetUrl::parse(&text) {
                prop_assert_eq!(&TargetUrl::parse(target.as_str()), &Ok(target.clone()));
                prop_assert_eq!(target.uri().to_string(), target.as_str());
                prop_assert!(target.as_str().bytes().all(|c| c.is_ascii_graphic()) && target.as_str().len() <= MAX_LENGTH);
                // What one receiver computes, the other does, wherever the path has none of the escapes.
                if !target.uri().path().contains('%') {
                    prop_assert_eq!(target.decoded(), target.as_str());
                }
            }
        }
    }
}
