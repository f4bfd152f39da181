//! How users let apps in, and what tokens are.

use antiphon_wire::oauth as wire;

use crate::door;
use crate::oauth::{authorize, info, install, login, me, token};
use crate::operation::{Family, Kind, Operation, Parameter, Payload, Verb, shape};

pub const TABLE: &[Operation] = &[
    Operation::oauth(Family::OauthToken, Verb::Post, "/token", "oauth.token", door!(token::token))
        .says("Get an access token for a code, a refresh token or an app's own credentials")
        .takes(shape::<wire::TokenAsked>)
        .or_form()
        .gives(200, Payload::One(shape::<wire::Given>)),
    Operation::oauth(
        Family::OauthV1,
        Verb::Get,
        "/access-tokens/{token}",
        "oauth.access",
        door!(info::access),
    )
    .says("What an access token is")
    .gives(200, Payload::One(shape::<wire::Information>)),
    Operation::oauth(
        Family::OauthV1,
        Verb::Get,
        "/refresh-tokens/{token}",
        "oauth.refresh",
        door!(info::refresh),
    )
    .says("What a refresh token is")
    .gives(200, Payload::One(shape::<wire::Information>)),
    Operation::oauth(
        Family::OauthV1,
        Verb::Delete,
        "/refresh-tokens/{token}",
        "oauth.refresh.delete",
        door!(info::delete),
    )
    .says("End a refresh token; access tokens live to their end")
    .gives(204, Payload::Nothing),
    Operation::oauth(
        Family::OauthTokens,
        Verb::Post,
        "/token/introspect",
        "oauth.introspect",
        door!(info::introspect),
    )
    .says("What a token of the app is")
    .takes(shape::<wire::TokenAsked>)
    .or_form()
    .gives(200, Payload::One(shape::<wire::Information>)),
    Operation::oauth(Family::OauthTokens, Verb::Post, "/token/revoke", "oauth.revoke", door!(info::revoke))
        .says("End a token of the app; with a refresh token, also its access tokens")
        .takes(shape::<wire::TokenAsked>)
        .or_form()
        .gives(200, Payload::Nothing),
    Operation::oauth(
        Family::OauthV2,
        Verb::Post,
        "/private-apps/get/access-token-info",
        "oauth.private",
        door!(info::private),
    )
    .says("What a private app's token is")
    .takes(shape::<wire::TokenKey>)
    .gives(200, Payload::One(shape::<wire::PrivateApp>)),
    Operation::oauth(Family::Authorize, Verb::Get, "/authorize", "oauth.authorize", door!(authorize::show))
        .says("The page on which a user lets an app in")
        .asks(ASKED)
        .gives(200, Payload::Html),
    Operation::oauth(
        Family::Authorize,
        Verb::Post,
        "/authorize",
        "oauth.authorize.choose",
        door!(authorize::choose),
    )
    .says("What the user has chosen there")
    .asks(ASKED)
    .or_form()
    .gives(200, Payload::Html),
    Operation::oauth(
        Family::Authorize,
        Verb::Get,
        "/{portalId}/authorize",
        "oauth.authorize.portal",
        door!(authorize::show),
    )
    .says("The same, as older links have it")
    .asks(ASKED)
    .gives(200, Payload::Html),
    Operation::oauth(
        Family::Authorize,
        Verb::Post,
        "/{portalId}/authorize",
        "oauth.authorize.portal.choose",
        door!(authorize::choose),
    )
    .says("What the user has chosen there")
    .asks(ASKED)
    .or_form()
    .gives(200, Payload::Html),
    Operation::oauth(Family::AccountInfo, Verb::Get, "/details", "account.details", door!(me::details))
        .anyone()
        .says("The account that the token opens")
        .gives(200, Payload::One(shape::<wire::Details>)),
    Operation::oauth(Family::Integrations, Verb::Get, "/me", "account.me", door!(me::me))
        .anyone()
        .says("The same for older clients")
        .gives(200, Payload::One(shape::<wire::Me>)),
    Operation::own(Verb::Get, "/apps/{appId}/oauth", "apps.oauth.show", door!(install::show))
        .says("How an app may be installed")
        .gives(200, Payload::One(shape::<wire::Settings>)),
    Operation::own(Verb::Patch, "/apps/{appId}/oauth", "apps.oauth.update", door!(install::update))
        .says("Say where users may be sent back to, and what an app may ask for")
        .takes(shape::<wire::SettingsPatch>)
        .gives(200, Payload::One(shape::<wire::Settings>)),
    Operation::own(Verb::Post, "/apps/{appId}/install", "apps.install", door!(install::install))
        .says("Install an app on an agent's behalf, without asking anybody")
        .takes(shape::<wire::Install>)
        .gives(201, Payload::One(shape::<wire::Given>)),
    Operation::own(Verb::Delete, "/apps/{appId}/install", "apps.uninstall", door!(install::uninstall))
        .says("Uninstall an app: the tokens that users granted it are refused")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Put, "/agents/{agentId}/login", "agents.login", door!(login::put))
        .says("Set an agent's password and role, or the role alone")
        .takes(shape::<wire::LoginPut>)
        .gives(204, Payload::Nothing),
];

const ASKED: &[Parameter] = &[
    Parameter { name: "client_id", kind: Kind::Text, help: "The app" },
    Parameter { name: "redirect_uri", kind: Kind::Text, help: "One that is registered for it" },
    Parameter { name: "scope", kind: Kind::Text, help: "What it asks for, separated by blanks" },
    Parameter { name: "optional_scope", kind: Kind::Text, help: "What it would like besides" },
    Parameter { name: "state", kind: Kind::Text, help: "Given back unchanged" },
    Parameter { name: "response_type", kind: Kind::Text, help: "`code`, or absent" },
    Parameter { name: "code_challenge", kind: Kind::Text, help: "For PKCE" },
    Parameter { name: "code_challenge_method", kind: Kind::Text, help: "`S256`, or `plain`" },
];
