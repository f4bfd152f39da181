//! Channels that apps bring: the app makes them, portals connect accounts of them, and what is said goes both ways.

use antiphon_wire::account::ChannelAccount;
use antiphon_wire::custom_channels as wire;
use antiphon_wire::message::MessageSchema;

use crate::custom_channels::{accounts, archive, create, get, list, messages, publish, staging, update};
use crate::door;
use crate::operation::{Kind, Operation, Parameter, Payload, Scope, Verb, shape};

const APP: Parameter =
    Parameter { name: "appId", kind: Kind::Integer, help: "The app, where a developer key is several apps'" };
const AFTER: Parameter = Parameter { name: "after", kind: Kind::Text, help: "Cursor of the page before" };
const LIMIT: Parameter =
    Parameter { name: "limit", kind: Kind::Integer, help: "Objects on a page, up to 500" };
const USUAL: Parameter = Parameter {
    name: "defaultPageLength",
    kind: Kind::Integer,
    help: "Objects on a page where `limit` is absent",
};
const SORT: Parameter = Parameter {
    name: "sort",
    kind: Kind::Texts,
    help: "Fields, descending with a minus: id, name, createdAt",
};
const ARCHIVED: Parameter =
    Parameter { name: "archived", kind: Kind::Boolean, help: "Archived ones instead of live ones" };
const IDENTIFIER_TYPE: Parameter = Parameter {
    name: "deliveryIdentifierType",
    kind: Kind::SomeOf(&[
        "HS_EMAIL_ADDRESS",
        "HS_PHONE_NUMBER",
        "HS_SHORT_CODE",
        "CHANNEL_SPECIFIC_OPAQUE_ID",
    ]),
    help: "Only accounts with an address of these types",
};
const IDENTIFIER: Parameter = Parameter {
    name: "deliveryIdentifierValue",
    kind: Kind::Texts,
    help: "Only accounts with one of these addresses",
};

const ONE: &str = "/{channelId}";
const ACCOUNTS: &str = "/{channelId}/channel-accounts";
const ACCOUNT: &str = "/{channelId}/channel-accounts/{channelAccountId}";
const STAGING: &str = "/{channelId}/channel-account-staging-tokens/{accountToken}";
const MESSAGES: &str = "/{channelId}/messages";
const MESSAGE: &str = "/{channelId}/messages/{messageId}";

/// Largest body of a published message.
const MESSAGE_LIMIT: usize = 5 << 20;

/// The table.
pub const TABLE: &[Operation] = &[
    Operation::custom_channels(Verb::Get, "", "custom.channels.list", door!(list::list))
        .says("List the channels of the app")
        .asks(&[APP, SORT, LIMIT, USUAL, AFTER])
        .gives(200, Payload::CountedPage(shape::<wire::CustomChannel>)),
    Operation::custom_channels(Verb::Post, "", "custom.channels.create", door!(create::create))
        .says("Bring a channel")
        .asks(&[APP])
        .takes(shape::<wire::CustomChannelCreate>)
        .gives(201, Payload::One(shape::<wire::CustomChannel>)),
    Operation::custom_channels(Verb::Get, ONE, "custom.channels.get", door!(get::get))
        .says("Read a channel")
        .asks(&[APP])
        .gives(200, Payload::One(shape::<wire::CustomChannel>)),
    Operation::custom_channels(Verb::Patch, ONE, "custom.channels.update", door!(update::update))
        .says("Change a channel; what is absent or {} stays, and capabilities are replaced whole")
        .asks(&[APP])
        .takes(shape::<wire::CustomChannelPatch>)
        .gives(200, Payload::One(shape::<wire::CustomChannel>)),
    Operation::custom_channels(Verb::Delete, ONE, "custom.channels.archive", door!(archive::archive))
        .says("Take a channel away; its accounts work no more, and its threads stay readable")
        .asks(&[APP])
        .gives(204, Payload::Nothing),
    Operation::custom_channels(Verb::Patch, STAGING, "custom.staging.update", door!(staging::update))
        .scope(Scope::CustomChannels)
        .says("Say which account is being connected; with its address it is made")
        .takes(shape::<wire::StagingTokenUpdate>)
        .gives(200, Payload::One(shape::<wire::StagingToken>))
        .may_conflict(),
    Operation::custom_channels(Verb::Get, ACCOUNTS, "custom.accounts.list", door!(accounts::list))
        .scope(Scope::CustomChannels)
        .says("List the accounts of a channel")
        .asks(&[IDENTIFIER_TYPE, IDENTIFIER, ARCHIVED, SORT, LIMIT, USUAL, AFTER])
        .gives(200, Payload::CountedPage(shape::<ChannelAccount>)),
    Operation::custom_channels(Verb::Post, ACCOUNTS, "custom.accounts.create", door!(accounts::create))
        .scope(Scope::CustomChannels)
        .says("Connect an account")
        .takes(shape::<wire::CustomAccountCreate>)
        .gives(201, Payload::One(shape::<ChannelAccount>))
        .may_conflict(),
    Operation::custom_channels(Verb::Get, ACCOUNT, "custom.accounts.get", door!(accounts::get))
        .scope(Scope::CustomChannels)
        .says("Read an account")
        .asks(&[ARCHIVED])
        .gives(200, Payload::One(shape::<ChannelAccount>)),
    Operation::custom_channels(Verb::Patch, ACCOUNT, "custom.accounts.update", door!(accounts::update))
        .scope(Scope::CustomChannels)
        .says("Rename an account, or switch it on or off")
        .takes(shape::<wire::CustomAccountPatch>)
        .gives(200, Payload::One(shape::<ChannelAccount>)),
    Operation::custom_channels(Verb::Post, MESSAGES, "custom.messages.publish", door!(publish::publish))
        .scope(Scope::CustomMessages)
        .limit(MESSAGE_LIMIT)
        .says("Publish what was said on a channel")
        .takes(shape::<wire::MessagePublish>)
        .gives(201, Payload::One(shape::<MessageSchema>)),
    Operation::custom_channels(Verb::Get, MESSAGE, "custom.messages.get", door!(messages::get))
        .scope(Scope::CustomChannels)
        .says("Read a message of a channel")
        .gives(200, Payload::One(shape::<MessageSchema>)),
    Operation::custom_channels(Verb::Patch, MESSAGE, "custom.messages.update", door!(messages::update))
        .scope(Scope::CustomMessages)
        .says("Tell how far a message got")
        .takes(shape::<wire::MessageStatusUpdate>)
        .gives(200, Payload::One(shape::<MessageSchema>)),
];
