//! On whose pages a chat appears: hosts, and patterns of addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest host and longest pattern.
const LONGEST_HOST: usize = 253;
const LONGEST_PATTERN: usize = 500;

/// Longest address of a page that is looked at.
pub const LONGEST_URL: usize = 2_000;

/// A host, or all below one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Domain(String);

impl Domain {
    /// Reads `example.com`, `*.example.com`, `localhost` or any of these with a port.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        let host = text.strip_prefix("*.").unwrap_or(&text);
        let (name, port) = host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if text.len() > LONGEST_HOST || !port || !name.split('.').all(label) {
            let shown: String = text.chars().take(80).collect();
            return Err(format!("`{shown}` is no host; write one such as example.com or *.example.com"));
        }
        Ok(Self(text))
    }

    /// Whether a page of this host, with this port if it is not the usual one, is on it. A domain without a port is on all.
    fn has(&self, host: &str, port: Option<&str>) -> bool {
        let (below, own) = match self.0.strip_prefix("*.") {
            Some(own) => (true, own),
            None => (false, self.0.as_str()),
        };
        let (name, wanted) = own.rsplit_once(':').map_or((own, None), |(name, port)| (name, Some(port)));
        let named = if below {
            host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.') && rest.len() > 1)
        } else {
            host == name
        };
        named && wanted.is_none_or(|wanted| port == Some(wanted))
    }

    /// As a source of a content security policy. Without a port any counts.
    pub fn sources(&self) -> String {
        match self.0.rsplit_once(':') {
            Some(_) => format!("http://{0} https://{0}", self.0),
            None => format!("http://{0}:* https://{0}:*", self.0),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses of pages, with `*` for anything. One that begins with `/` is about the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, String> {
        let begins = ["/", "*", "http://", "https://"].iter().any(|begin| text.starts_with(begin));
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !begins || !plain || text.len() > LONGEST_PATTERN {
            let shown: String = text.chars().take(80).collect();
            return Err(format!(
                "`{shown}` is no pattern; write one such as /shop/* or https://example.com/*"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    fn has(&self, page: &Page<'_>) -> bool {
        match self.0.starts_with('/') {
            true => matches(&self.0, page.path),
            // What begins with a star may be about the path or about all of it.
            false => matches(&self.0, page.whole) || (self.0.starts_with('*') && matches(&self.0, page.path)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address of a page, in parts.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Without query and fragment.
    whole: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
}

impl<'a> Page<'a> {
    /// Reads the address of a page of the web.
    pub fn read(url: &'a str) -> Option<Self> {
        if url.len() > LONGEST_URL {
            return None;
        }
        let whole = url.split(['?', '#']).next().unwrap_or_default();
        let rest = whole.strip_prefix("https://").or_else(|| whole.strip_prefix("http://"))?;
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if authority.contains('@') {
            return None;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, Some(port))
            }
            _ => (authority, None),
        };
        (!host.is_empty()).then_some(Self { whole, host, port, path })
    }

    /// Whether it is on one of these hosts; any is, where none are named.
    pub fn is_on(&self, domains: &[Domain]) -> bool {
        let host = self.host.to_ascii_lowercase();
        domains.is_empty() || domains.iter().any(|domain| domain.has(&host, self.port))
    }

    /// Whether one of these patterns has it; where there is none, it is so.
    pub fn is_among(&self, patterns: &[Pattern]) -> bool {
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.has(self))
    }
}

/// Whether a text is of a pattern with stars. Goes back to the last star alone, so it takes no longer than their product.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    let mut back = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            back = Some((at, read));
            at += 1;
        } else if pattern.get(at) == Some(&text[read]) {
            at += 1;
            read += 1;
        } else if let Some((star, from)) = back {
            back = Some((star, from + 1));
            at = star + 1;
            read = from + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_on_its_host_and_on_no_other() {
        for (domain, url, on) in [
            ("example.com", "https://example.com/a", true),
            ("example.com", "http://EXAMPLE.com:8080", true),
            ("example.com", "https://www.example.com/", false),
            ("example.com", "https://example.com.evil.example/", false),
            ("example.com", "https://evil.example/?https://example.com/", false),
            ("example.com", "https://example.com@evil.example/", false),
            ("*.example.com", "https://www.example.com/", true),
            ("*.example.com", "https://a.b.example.com/", true),
            ("*.example.com", "https://example.com/", false),
            ("*.example.com", "https://badexample.com/", false),
            ("localhost:8080", "http://localhost:8080/x", true),
            ("localhost:8080", "http://localhost:8081/x", false),
            ("example.com", "ftp://example.com/", false),
            ("example.com", "javascript:alert(1)//example.com/", false),
        ] {
            let domain = [Domain::read(domain).unwrap()];
            assert_eq!(Page::read(url).is_some_and(|page| page.is_on(&domain)), on, "{domain:?} {url}");
        }
        for wrong in
            ["", "*", "https://example.com", "exam ple.com", "a..b", "*.*.example.com", "a.example/x", "a;b"]
        {
            assert!(Domain::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn patterns_are_about_paths_or_whole_addresses() {
        for (pattern, url, has) in [
            ("/shop/*", "https://example.com/shop/tea?x=1", true),
            ("/shop/*", "https://example.com/shop", false),
            ("/", "https://example.com", true),
            ("*/tea", "https://example.com/shop/tea#top", true),
            ("https://example.com/*", "https://example.com/shop", true),
            ("https://example.com/*", "http://example.com/shop", false),
            ("/a*b*c", "https://example.com/aXbYbZc", true),
            ("/a*b*c", "https://example.com/aXbYbZ", false),
        ] {
            let patterns = [Pattern::read(pattern).unwrap()];
            assert_eq!(Page::read(url).unwrap().is_among(&patterns), has, "{pattern} {url}");
        }
        for wrong in ["", "shop", "/a b", "ftp://example.com/*"] {
            assert!(Pattern::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_their_product() {
        let (pattern, text) = (format!("/{}b", "*a".repeat(200)), format!("/{}", "a".repeat(1_900)));
        assert!(!matches(&pattern, &text));
    }
}
