//! How live chat on an account is set up: what is kept of it, and the doors for those who set it up.

use antiphon_store::{Account, AccountId, Directory, DirectoryChange, Millis, Moment, State};
use antiphon_wire::error::Problem;
use antiphon_wire::id::{Id, MAX_SAFE, parse_path_id};
use antiphon_wire::widget::{
    AskEmail, ChatPosition, ChatSettings, ChatSettingsRequest, CookieBanner, OfficeHoursRequest,
};
use serde::{Deserialize, Serialize};

use super::hours::{Hours, Span};
use super::places::{Domain, Pattern};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::messages::channel::LIVE_CHAT;
use crate::refusal::Refusal;

/// What a chat looks like that nobody has coloured.
const COLOR: &str = "#2f6f5e";

/// Most entries of a list, and most offered answers.
const MOST: usize = 50;
const MOST_REPLIES: usize = 10;

/// Longest texts, in characters.
const LONGEST: usize = 2_000;
const LONGEST_REPLY: usize = 80;

/// What is kept of it, with the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    #[serde(rename = "d", default)]
    pub domains: Vec<Domain>,
    #[serde(rename = "t", default)]
    pub title: Option<String>,
    #[serde(rename = "c")]
    pub color: String,
    #[serde(rename = "s")]
    pub position: ChatPosition,
    #[serde(rename = "q", default)]
    pub quick_replies: Vec<String>,
    #[serde(rename = "o", default)]
    pub hours: Option<Hours>,
    #[serde(rename = "a", default)]
    pub away: Option<String>,
    #[serde(rename = "e")]
    pub ask_email: AskEmail,
    #[serde(rename = "f")]
    pub attachments: bool,
    #[serde(rename = "b")]
    pub cookie_banner: CookieBanner,
    #[serde(rename = "p", default)]
    pub pages: Vec<Pattern>,
    #[serde(rename = "l", default)]
    pub language: Option<String>,
}

impl Settings {
    /// Those of an account, where it has any that can be read.
    pub fn of(account: &Account) -> Option<Self> {
        serde_json::from_str(account.chat.as_deref()?).ok()
    }

    fn printed(&self) -> String {
        // Nothing in them can fail to be printed.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The chat of an account to which visitors may come now.
pub fn open(directory: &Directory, id: AccountId) -> Option<(&Account, Settings)> {
    let account = directory.account(id)?;
    let comes = account.channel_id == LIVE_CHAT
        && account.archived_at.is_none()
        && crate::accounts::is_active(directory, account);
    Some((account, Settings::of(account).filter(|_| comes)?))
}

/// `GET /channel-accounts/{channelAccountId}/chat`
pub async fn get(call: Call) -> Result<Answer, Refusal> {
    let (directory, id) = (&call.caller.directory, account_id(&call)?);
    let account = chat_account(directory, id)?;
    let settings = Settings::of(account).ok_or_else(|| Refusal::not_found(id))?;
    Answer::json(200, &shown(account, settings))
}

/// `PUT /channel-accounts/{channelAccountId}/chat`
pub async fn put(call: Call) -> Result<Answer, Refusal> {
    let id = account_id(&call)?;
    let (settings, welcome) = read(call.json()?, &call.caller.directory.portal.profile.time_zone)?;
    let printed = Some(settings.printed());
    change(&call, id, move |account| Account { chat: printed.clone(), welcome: welcome.clone(), ..account })
        .await?;
    let directory = directory::now(&call).await?;
    Answer::json(200, &shown(chat_account(&directory, id)?, settings))
}

/// `DELETE /channel-accounts/{channelAccountId}/chat`
pub async fn remove(call: Call) -> Result<Answer, Refusal> {
    let id = account_id(&call)?;
    change(&call, id, |account| Account { chat: None, ..account }).await?;
    Ok(Answer::none())
}

async fn change(
    call: &Call,
    id: AccountId,
    edit: impl Fn(Account) -> Account + Send + 'static,
) -> Result<(), Refusal> {
    let rule = move |state: &State, _: &mut Moment| {
        let account = chat_account(&state.directory, id)?;
        Ok(vec![DirectoryChange::Account(edit(account.clone()))])
    };
    directory::change(call, rule).await?;
    Ok(())
}

fn account_id(call: &Call) -> Result<AccountId, Refusal> {
    let sent = call.segment(0);
    parse_path_id(sent, MAX_SAFE).map(AccountId).ok_or_else(|| Refusal::not_found(sent))
}

/// A living account, if it is one of live chat.
fn chat_account(directory: &Directory, id: AccountId) -> Result<&Account, Refusal> {
    let account = directory.account(id).filter(|account| account.archived_at.is_none());
    let account = account.ok_or_else(|| Refusal::not_found(id))?;
    match account.channel_id {
        LIVE_CHAT => Ok(account),
        _ => Err(Refusal::invalid("channelAccountId", "Only accounts of live chat appear on web pages")),
    }
}

fn shown(account: &Account, settings: Settings) -> ChatSettings {
    ChatSettings {
        account_id: Id(account.id.0),
        domains: settings.domains.iter().map(ToString::to_string).collect(),
        title: settings.title.unwrap_or_else(|| account.name.clone()),
        color: settings.color,
        position: settings.position,
        welcome_message: account.welcome.clone(),
        quick_replies: settings.quick_replies,
        office_hours: settings.hours.as_ref().map(Hours::shown),
        away_message: settings.away,
        ask_email: settings.ask_email,
        attachments: settings.attachments,
        cookie_banner: settings.cookie_banner,
        pages: settings.pages.iter().map(ToString::to_string).collect(),
        language: settings.language,
    }
}

/// Reads settings, and the greeting, which is the account's own.
fn read(body: ChatSettingsRequest, time_zone: &str) -> Result<(Settings, Option<String>), Refusal> {
    let mut checks = Checks::default();
    let domains = list(&mut checks, "domains", &body.domains, Domain::read);
    let pages = list(&mut checks, "pages", &body.pages, Pattern::read);
    let color = body.color.map_or_else(|| COLOR.to_owned(), |color| color.trim().to_ascii_lowercase());
    if !is_color(&color) {
        checks.wrong("color", "color must be written as #rrggbb");
    }
    let language = text(&mut checks, "language", body.language, 35);
    if language.as_ref().is_some_and(|tag| !is_language(tag)) {
        checks.wrong("language", "language must be a tag such as de or pt-br");
    }
    let replies: Vec<String> =
        body.quick_replies.iter().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
    if replies.len() > MOST_REPLIES || replies.iter().any(|one| one.chars().count() > LONGEST_REPLY) {
        let why =
            format!("quickReplies has at most {MOST_REPLIES} answers of at most {LONGEST_REPLY} characters");
        checks.wrong("quickReplies", why);
    }
    let welcome = text(&mut checks, "welcomeMessage", body.welcome_message, LONGEST);
    let settings = Settings {
        domains,
        title: text(&mut checks, "title", body.title, 100),
        color,
        position: named(&mut checks, body.position, |text| ChatPosition::read("position", text))
            .unwrap_or(ChatPosition::Right),
        quick_replies: replies,
        hours: body.office_hours.and_then(|hours| office_hours(&mut checks, hours, time_zone)),
        away: text(&mut checks, "awayMessage", body.away_message, LONGEST),
        ask_email: named(&mut checks, body.ask_email, |text| AskEmail::read("askEmail", text))
            .unwrap_or(AskEmail::OutsideHours),
        attachments: body.attachments.unwrap_or(true),
        cookie_banner: named(&mut checks, body.cookie_banner, |text| {
            CookieBanner::read("cookieBanner", text)
        })
        .unwrap_or(CookieBanner::Off),
        pages,
        language,
    };
    checks.done()?;
    Ok((settings, welcome))
}

fn named<T>(
    checks: &mut Checks,
    sent: Option<String>,
    read: impl Fn(&str) -> Result<T, Problem>,
) -> Option<T> {
    sent.and_then(|text| checks.take(read(&text)))
}

fn list<T>(
    checks: &mut Checks,
    field: &str,
    sent: &[String],
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    if sent.len() > MOST {
        checks.wrong(field, format!("{field} has at most {MOST} entries"));
        return Vec::new();
    }
    let mut all = Vec::with_capacity(sent.len());
    for one in sent {
        match read(one.trim()) {
            Ok(one) => all.push(one),
            Err(why) => checks.wrong(field, why),
        }
    }
    all
}

fn text(checks: &mut Checks, field: &str, sent: Option<String>, longest: usize) -> Option<String> {
    let text = sent.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
    if text.chars().count() > longest {
        checks.wrong(field, format!("{field} has at most {longest} characters"));
    }
    Some(text)
}

fn office_hours(checks: &mut Checks, sent: OfficeHoursRequest, time_zone: &str) -> Option<Hours> {
    let spans = list_of_days(checks, &sent)?;
    let zone = sent.time_zone.unwrap_or_else(|| time_zone.to_owned());
    match Hours::new(zone, spans) {
        Ok(hours) => Some(hours),
        Err(why) => {
            checks.wrong("officeHours", why);
            None
        }
    }
}

fn list_of_days(checks: &mut Checks, sent: &OfficeHoursRequest) -> Option<Vec<Span>> {
    if sent.days.len() > MOST {
        checks.wrong("officeHours", format!("officeHours has at most {MOST} days"));
        return None;
    }
    let read = |day: &antiphon_wire::widget::OpenDayRequest| {
        Span::read(day.day, day.from.as_deref().unwrap_or_default(), day.to.as_deref().unwrap_or_default())
    };
    let spans: Option<Vec<Span>> = sent.days.iter().map(read).collect();
    if spans.is_none() {
        checks.wrong("officeHours", "Each day needs day (1 to 7), from and to as HH:MM, and to behind from");
    }
    spans
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_language(text: &str) -> bool {
    text.split('-')
        .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Whether a visitor is to be asked for an address at some moment.
pub fn asks_email(settings: &Settings, known: bool, now: Millis) -> bool {
    !known
        && match settings.ask_email {
            AskEmail::Never => false,
            AskEmail::Always => true,
            AskEmail::OutsideHours => !available(settings, now),
        }
}

/// Whether somebody is there.
pub fn available(settings: &Settings, now: Millis) -> bool {
    settings.hours.as_ref().is_none_or(|hours| hours.include(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn settings(body: &str) -> Result<(Settings, Option<String>), Refusal> {
        read(serde_json::from_str(body).unwrap(), "Europe/Berlin")
    }

    #[test]
    fn what_is_absent_is_as_it_is_by_itself() {
        let (plain, welcome) = settings("{}").unwrap();
        assert_eq!((plain.position, plain.ask_email), (ChatPosition::Right, AskEmail::OutsideHours));
        assert!(plain.domains.is_empty() && plain.pages.is_empty() && plain.attachments && welcome.is_none());
        let account = Account { chat: Some(plain.printed()), ..account() };
        assert_eq!(Settings::of(&account), Some(plain), "what is kept is read back");
        assert_eq!(Settings::of(&Account { chat: Some("{".into()), ..account }), None);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let refused = settings(
            r#"{ "domains": ["https://a.example/x"], "color": "red", "position": "UP", "askEmail": "OFTEN", "language": "d e",
                 "officeHours": { "days": [{ "day": 8, "from": "09:00", "to": "17:00" }] }, "cookieBanner": "MAYBE",
                 "quickReplies": ["1","2","3","4","5","6","7","8","9","10","11"], "pages": [""] }"#,
        );
        let refused = refused.unwrap_err();
        let mut named = testing::named(&refused);
        named.sort();
        let all = [
            "askEmail",
            "color",
            "cookieBanner",
            "domains",
            "language",
            "officeHours",
            "pages",
            "position",
            "quickReplies",
        ];
        assert_eq!(named, all);
    }

    #[test]
    fn visitors_come_only_where_chat_was_set_up_and_works() {
        let mut directory = (*testing::state().directory).clone();
        assert!(open(&directory, testing::CHAT).is_none(), "nobody has set it up");
        let chat = settings("{}").unwrap().0.printed();
        let with = |directory: &mut Directory, edit: fn(Account) -> Account| {
            let account = directory.account(testing::CHAT).unwrap().clone();
            directory.put(DirectoryChange::Account(edit(Account { chat: Some(chat.clone()), ..account })));
        };
        with(&mut directory, |account| account);
        assert!(open(&directory, testing::CHAT).is_some());
        for edit in [
            (|account| Account { active: false, ..account }) as fn(Account) -> Account,
            |account| Account { archived_at: Some(1), active: true, ..account },
            |account| Account { archived_at: None, channel_id: 1002, ..account },
        ] {
            with(&mut directory, edit);
            assert!(open(&directory, testing::CHAT).is_none());
        }
    }

    fn account() -> Account {
        testing::state().directory.account(testing::CHAT).unwrap().clone()
    }
}
