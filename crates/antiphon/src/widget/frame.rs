//! The page inside of the widget's frame: it runs in our origin, and may stand on the pages of its account alone.

use antiphon_store::AccountId;
use antiphon_wire::id::{MAX_SAFE, parse_path_id};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

use super::places::Domain;
use super::sessions::portal;
use super::settings;
use crate::call::{Answer, Call};
use crate::refusal::Refusal;
use crate::ui;

const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// What the page may load: what is ours, and pictures.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: https:; \
                      media-src 'self' blob: https:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors ";

/// `GET /widget/{portalId}/frame`
pub async fn frame(call: Call) -> Result<Answer, Refusal> {
    let directory = portal(&call).await?;
    let sent = call.query.scalar("account").unwrap_or_default();
    let account = parse_path_id(sent, MAX_SAFE).map(AccountId);
    let open = account.and_then(|account| settings::open(&directory, account));
    let (_, settings) = open.ok_or_else(|| Refusal::not_found(sent))?;
    let Some(page) = ui::widget::frame() else { return Ok(ui::missing()) };
    let policy = format!("{POLICY}{}", ancestors(&settings.domains));
    let headers = vec![
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, HeaderValue::try_from(policy).map_err(|_| Refusal::not_found(sent))?),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (PERMISSIONS, HeaderValue::from_static("camera=(), geolocation=(), payment=(), usb=()")),
        // Who may frame it may be others in a moment.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok(Answer { status: 200, body: page.to_vec().into(), bare: true, headers, ..Answer::default() })
}

/// The pages on which it may stand: ours too, so that it can be looked at where it is set up.
fn ancestors(domains: &[Domain]) -> String {
    if domains.is_empty() {
        return "*".to_owned();
    }
    let mut all = "'self'".to_owned();
    for domain in domains {
        all.push(' ');
        all.push_str(&domain.sources());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_on_the_pages_of_its_account() {
        assert_eq!(ancestors(&[]), "*");
        let domains =
            ["example.com", "*.example.com", "localhost:8080"].map(|one| Domain::read(one).unwrap());
        assert_eq!(
            ancestors(&domains),
            "'self' http://example.com:* https://example.com:* http://*.example.com:* https://*.example.com:* \
             http://localhost:8080 https://localhost:8080"
        );
    }
}
