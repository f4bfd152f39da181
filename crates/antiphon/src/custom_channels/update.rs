//! Changing a channel.

use antiphon_store::{Channel, DirectoryChange};
use antiphon_wire::custom_channels::{Capable, CustomChannelPatch, Text};

use super::capabilities::Capabilities;
use super::create::{line, url, webhook_url};
use crate::call::{Answer, Call};
use crate::checks::Checks;
use crate::directory;
use crate::refusal::Refusal;

/// `PATCH /{channelId}`
pub async fn update(call: Call) -> Result<Answer, Refusal> {
    super::named(&call)?;
    let edit = read(call.json()?, call.app.config.outbound.http)?;
    let (caller, sent) = (call.caller.clone(), call.segment(0).to_owned());
    directory::change(&call, move |state, _| {
        let known = super::living(&state.directory, &caller, &sent)?;
        Ok(vec![DirectoryChange::Channel(edit.applied(known))])
    })
    .await?;
    let directory = directory::now(&call).await?;
    Answer::json(200, &super::shown(super::living(&directory, &call.caller, call.segment(0))?)?)
}

/// What is to become of a channel. What is absent stays.
#[derive(Debug, Clone, Default)]
struct Edit {
    name: Option<String>,
    capabilities: Option<String>,
    webhook_url: Option<Option<String>>,
    redirect_url: Option<Option<String>>,
    description: Option<Option<String>>,
    logo_url: Option<Option<String>>,
}

impl Edit {
    fn applied(&self, known: &Channel) -> Channel {
        let edit = self.clone();
        Channel {
            name: edit.name.unwrap_or_else(|| known.name.clone()),
            capabilities: edit.capabilities.unwrap_or_else(|| known.capabilities.clone()),
            webhook_url: edit.webhook_url.unwrap_or_else(|| known.webhook_url.clone()),
            redirect_url: edit.redirect_url.unwrap_or_else(|| known.redirect_url.clone()),
            description: edit.description.unwrap_or_else(|| known.description.clone()),
            logo_url: edit.logo_url.unwrap_or_else(|| known.logo_url.clone()),
            ..known.clone()
        }
    }
}

fn read(body: CustomChannelPatch, http: bool) -> Result<Edit, Refusal> {
    let mut checks = Checks::default();
    let name = match body.name {
        Text::Unchanged => None,
        Text::Cleared => {
            checks.wrong("name", "A channel needs a name");
            None
        }
        Text::Set(name) => checks.name("name", Some(name)),
    };
    let capabilities = match body.capabilities {
        Capable::Unchanged => None,
        Capable::Cleared => {
            checks.wrong("capabilities", "A channel needs capabilities");
            None
        }
        Capable::Set(sent) => match checks.take(Capabilities::check(&sent)) {
            Some(_) => Some(super::stored(&sent)?),
            None => None,
        },
    };
    let edit = Edit {
        name,
        capabilities,
        webhook_url: edited(body.webhook_url, |sent| webhook_url(&mut checks, sent, http)),
        redirect_url: edited(body.redirect_url, |sent| {
            url(&mut checks, "channelAccountConnectionRedirectUrl", sent)
        }),
        description: edited(body.description, |sent| line(&mut checks, sent)),
        logo_url: edited(body.logo_url, |sent| url(&mut checks, "channelLogoUrl", sent)),
    };
    checks.done()?;
    Ok(edit)
}

fn edited(sent: Text, read: impl FnOnce(Option<String>) -> Option<String>) -> Option<Option<String>> {
    match sent {
        Text::Unchanged => None,
        Text::Cleared => Some(None),
        Text::Set(text) => Some(read(Some(text))),
    }
}
