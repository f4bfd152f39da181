//! Where users are sent back to, which nobody may choose but whoever registered the app.

use antiphon_store::Client;
use http::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Longest URI that is registered.
const LONGEST: usize = 2000;

/// What is wrong with a URI that is to be registered.
pub fn problem(uri: &str) -> Option<&'static str> {
    let plain =
        uri.len() <= LONGEST && uri.bytes().all(|c| c.is_ascii_graphic() && !b"\\#<>\"`{}|^".contains(&c));
    let parsed: Option<Uri> = uri.parse().ok().filter(|_| plain);
    let Some(parsed) = parsed else { return Some("is no absolute URL without a fragment") };
    let Some(authority) = parsed.authority() else { return Some("is no absolute URL") };
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Some("names a user, or no host");
    }
    match parsed.scheme_str() {
        Some("https") => None,
        Some("http") if loopback(authority.host()) => None,
        _ => Some("must begin with https://, or lead to this machine"),
    }
}

/// Whether a URI is one of those that are registered: the very same, but for the port where it leads to the user's own machine.
pub fn registered(client: &Client, sent: &str) -> bool {
    client.redirect_uris.iter().any(|known| known == sent || same_but_port(known, sent))
}

fn same_but_port(known: &str, sent: &str) -> bool {
    let parts = |uri: &str| -> Option<(String, String, String)> {
        if problem(uri).is_some() {
            return None;
        }
        let parsed: Uri = uri.parse().ok()?;
        let host = parsed.host().filter(|host| loopback(host))?.to_owned();
        let path = parsed.path_and_query()?.as_str().to_owned();
        Some((parsed.scheme_str()?.to_owned(), host, path))
    };
    matches!((parts(known), parts(sent)), (Some(known), Some(sent)) if known == sent)
}

fn loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// A registered URI with parameters added to it.
pub fn with(uri: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let mut to = uri.to_owned();
    for (name, value) in parameters.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        to.push(if to.contains('?') { '&' } else { '?' });
        to.push_str(name);
        to.push('=');
        to.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    to
}

#[cfg(test)]
mod tests {
    use antiphon_store::AppId;

    use super::*;

    #[test]
    fn only_what_leads_somewhere_safe_is_registered() {
        for (uri, fine) in [
            ("https://a.example/back", true),
            ("https://a.example:8443/back?x=1", true),
            ("http://127.0.0.1/x", true),
            ("http://localhost:3000", true),
            ("http://[::1]:9/x", true),
            ("http://a.example/back", false),
            ("https://user@a.example/", false),
            ("https://a.example/#f", false),
            ("https://a.example\\@b.example/", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("//a.example/", false),
            ("/back", false),
            ("", false),
            ("https://a.example/\r\nx: y", false),
            ("https://ä.example/", false),
        ] {
            assert_eq!(problem(uri).is_none(), fine, "{uri}");
        }
    }

    #[test]
    fn a_redirect_is_the_very_one_but_for_a_port_of_the_users_machine() {
        let uris = ["https://a.example/back", "http://127.0.0.1:1/cb?x=1"].map(str::to_owned).into();
        let client = Client { app_id: AppId(1), redirect_uris: uris, scopes: Vec::new() };
        for (sent, fine) in [
            ("https://a.example/back", true),
            ("https://a.example/back/", false),
            ("https://a.example/back?x", false),
            ("https://a.example:444/back", false),
            ("https://A.example/back", false),
            ("https://a.example/%62ack", false),
            ("https://a.example/back/../evil", false),
            ("https://a.example.evil.example/back", false),
            ("http://a.example/back", false),
            ("http://127.0.0.1:5000/cb?x=1", true),
            ("http://127.0.0.1/cb?x=1", true),
            ("http://127.0.0.1:5000/cb", false),
            ("http://127.0.0.1:5000@evil.example/cb?x=1", false),
            ("http://localhost:5000/cb?x=1", false),
            ("https://127.0.0.1:5000/cb?x=1", false),
            ("", false),
        ] {
            assert_eq!(registered(&client, sent), fine, "{sent}");
        }
        let to = with(
            "https://a.example/b?x=1",
            &[("code", Some("a b")), ("none", None), ("state", Some("&=\n"))],
        );
        assert_eq!(to, "https://a.example/b?x=1&code=a%20b&state=%26%3D%0A");
    }
}
