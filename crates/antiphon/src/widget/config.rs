//! Which chat there is for a page.

use antiphon_store::Directory;
use antiphon_wire::id::Id;
use antiphon_wire::widget::WidgetConfig;
use http::HeaderValue;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;

use super::floods::{Payer, Rate, What};
use super::places::Page;
use super::sessions::portal;
use super::settings::{self, Settings};
use crate::call::{Answer, Call};
use crate::refusal::Refusal;

/// `GET /widget/v1/{portalId}/config`
pub async fn config(call: Call) -> Result<Answer, Refusal> {
    let app = &call.app;
    let rate = Rate::minutely(app.config.widget.requests_per_minute_of_address);
    app.floods.take(What::Request, Payer::address(call.heads.address), rate, app.machine_time())?;
    let directory = portal(&call).await?;
    let url = call.query.scalar("url").unwrap_or_default();
    let found = found(&directory, url);
    let shown = match &found {
        None => WidgetConfig {
            account: None,
            position: None,
            color: None,
            cookie_banner: None,
            language: None,
            title: None,
            welcome_message: None,
        },
        Some((account, settings)) => WidgetConfig {
            account: Some(Id(account.id.0)),
            position: Some(settings.position),
            color: Some(settings.color.clone()),
            cookie_banner: Some(settings.cookie_banner),
            language: settings.language.clone(),
            title: Some(settings.title.clone().unwrap_or_else(|| account.name.clone())),
            welcome_message: account.welcome.clone(),
        },
    };
    let mut answer = Answer::json(200, &shown)?;
    let settings = found.map(|(_, settings)| settings);
    if let Some(origin) = call.heads.origin.as_deref().filter(|origin| may_read(settings.as_ref(), origin))
        && let Ok(origin) = HeaderValue::try_from(origin)
    {
        answer.headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, origin));
    }
    Ok(answer)
}

/// The first chat for a page; one that names pages goes before one that is on all.
fn found<'d>(directory: &'d Directory, url: &str) -> Option<(&'d antiphon_store::Account, Settings)> {
    let page = Page::read(url)?;
    let all = directory.accounts_with_chat().take(MOST);
    let fitting = all
        .filter_map(|account| settings::open(directory, account.id))
        .filter(|(_, settings)| page.is_on(&settings.domains) && page.is_among(&settings.pages));
    fitting.min_by_key(|(account, settings)| {
        (settings.pages.is_empty(), settings.domains.is_empty(), account.id)
    })
}

/// Most chats of a portal that are looked at.
const MOST: usize = 200;

/// That there is no chat may be read from anywhere; what there is, on its own pages.
fn may_read(settings: Option<&Settings>, origin: &str) -> bool {
    settings.is_none_or(|settings| Page::read(origin).is_some_and(|page| page.is_on(&settings.domains)))
}
