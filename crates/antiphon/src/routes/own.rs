//! `/antiphon/v1`: what HubSpot offers no call for.

use antiphon_wire::message::MessageSchema;
use antiphon_wire::own;
use antiphon_wire::people;
use antiphon_wire::thread::ThreadSchema;
use antiphon_wire::webhook_log as log;
use antiphon_wire::webhooks as told;

use crate::custom_channels::connect;
use crate::operation::{Kind, Operation, Parameter, Payload, Scope, Verb, shape};
use crate::realtime::filter::NAMES;
use crate::{
    accounts, actors, apps, backups, contacts, door, events, files, inboxes, keys, messages, moves, portals,
    threads, tickets, tokens, webhooks,
};

pub const TABLE: &[Operation] = &[
    Operation::own(Verb::Post, "/backups", "backups.make", door!(backups::make))
        .scope(Scope::Operator)
        .says("Write a backup of the whole store")
        .takes(shape::<backups::BackupRequest>)
        .gives(201, Payload::One(shape::<backups::BackupMade>)),
    Operation::own(Verb::Get, "/backups", "backups.progress", door!(backups::progress))
        .scope(Scope::Operator)
        .says("How far the running backup is")
        .gives(200, Payload::One(shape::<backups::ProgressMade>)),
    Operation::own(Verb::Post, "/checks", "checks.make", door!(backups::check))
        .scope(Scope::Operator)
        .says("Read the whole store, and tell what is wrong with it")
        .takes(shape::<backups::CheckRequest>)
        .gives(200, Payload::One(shape::<backups::CheckMade>)),
    Operation::own(Verb::Get, "/checks", "checks.progress", door!(backups::check_progress))
        .scope(Scope::Operator)
        .says("How far the running check is")
        .gives(200, Payload::One(shape::<backups::ProgressMade>)),
    Operation::own(Verb::Post, "/moves", "moves.make", door!(moves::make))
        .scope(Scope::Operator)
        .says("Move the whole store to another place, and serve from there")
        .takes(shape::<moves::MoveRequest>)
        .gives(201, Payload::One(shape::<moves::MoveMade>)),
    Operation::own(Verb::Get, "/moves", "moves.progress", door!(moves::progress))
        .scope(Scope::Operator)
        .says("How far the running move is")
        .gives(200, Payload::One(shape::<moves::MoveProgress>)),
    Operation::own(Verb::Get, "/keys", "keys.list", door!(keys::list::list))
        .scope(Scope::Operator)
        .says("The keys with which the server signs, without what is secret about them")
        .gives(200, Payload::One(shape::<antiphon_wire::keys::Keys>)),
    Operation::own(Verb::Post, "/keys/rotate", "keys.rotate", door!(keys::rotate::rotate))
        .scope(Scope::Operator)
        .says("Sign with a fresh key from now on")
        .takes(shape::<antiphon_wire::keys::KeyRotate>)
        .gives(201, Payload::One(shape::<antiphon_wire::keys::Key>)),
    Operation::own(Verb::Get, "/status", "store.status", door!(backups::status))
        .scope(Scope::Operator)
        .says("The figures of the store")
        .gives(200, Payload::One(shape::<backups::StoreFigures>)),
    Operation::own(Verb::Post, "/portals", "portals.create", door!(portals::create::create))
        .scope(Scope::Operator)
        .says("Make a portal")
        .takes(shape::<own::PortalCreate>)
        .gives(201, Payload::One(shape::<own::Portal>)),
    Operation::own(Verb::Get, "/portals", "portals.list", door!(portals::list::list))
        .scope(Scope::Operator)
        .says("List portals")
        .asks(&[LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<own::Portal>)),
    Operation::own(Verb::Get, "/portals/{portalId}", "portals.get", door!(portals::get::get))
        .scope(Scope::Operator)
        .says("Read a portal and how much it holds")
        .gives(200, Payload::One(shape::<own::Portal>)),
    Operation::own(Verb::Patch, "/portals/{portalId}", "portals.update", door!(portals::update::update))
        .scope(Scope::Operator)
        .says("Rename a portal, or set its time zone or quota")
        .takes(shape::<own::PortalPatch>)
        .gives(200, Payload::One(shape::<own::Portal>)),
    Operation::own(Verb::Patch, "/portal", "own.portal.update", door!(portals::update::own))
        .says("Rename one's own portal, or set its time zone")
        .takes(shape::<own::OwnPortalPatch>)
        .gives(200, Payload::One(shape::<own::Portal>)),
    Operation::own(Verb::Post, "/apps", "apps.create", door!(apps::create::create))
        .says("Make an app; its secrets are shown this once")
        .takes(shape::<own::AppCreate>)
        .gives(201, Payload::One(shape::<own::App>)),
    Operation::own(Verb::Get, "/apps", "apps.list", door!(apps::list::list))
        .says("List apps")
        .asks(&[LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<own::App>)),
    Operation::own(Verb::Get, "/apps/{appId}", "apps.get", door!(apps::get::get))
        .says("Read an app")
        .gives(200, Payload::One(shape::<own::App>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/client-secret/rotate",
        "apps.rotate.secret",
        door!(apps::rotate::secret),
    )
    .says("Replace an app's client secret; the old one goes on working for a day")
    .takes(shape::<own::AppRotate>)
    .gives(200, Payload::One(shape::<own::App>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/developer-key/rotate",
        "apps.rotate.key",
        door!(apps::rotate::key),
    )
    .says(
        "Replace the developer key of an app and of all that share it; the old one goes on working for a day",
    )
    .takes(shape::<own::AppRotate>)
    .gives(200, Payload::One(shape::<own::App>)),
    Operation::own(Verb::Patch, "/apps/{appId}", "apps.update", door!(apps::update::update))
        .says("Rename, suspend or resume an app")
        .takes(shape::<own::AppPatch>)
        .gives(200, Payload::One(shape::<own::App>)),
    Operation::own(Verb::Get, "/apps/{appId}/webhook", "apps.webhook.show", door!(webhooks::log::status::show))
        .says("How an app's webhook stands: how far behind it is, and what it did not take")
        .asks(&[CHANNEL])
        .gives(200, Payload::One(shape::<log::WebhookStatus>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/webhook/pause",
        "apps.webhook.pause",
        door!(webhooks::log::status::pause),
    )
    .says("Send an app nothing until it is resumed; what happens meanwhile is kept for it")
        .asks(&[CHANNEL])
    .takes(shape::<log::WebhookPause>)
    .gives(200, Payload::One(shape::<log::WebhookStatus>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/webhook/resume",
        "apps.webhook.resume",
        door!(webhooks::log::status::resume),
    )
    .says("Go on sending to an app that was paused")
        .asks(&[CHANNEL])
    .gives(200, Payload::One(shape::<log::WebhookStatus>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/webhook/test",
        "apps.webhook.test",
        door!(webhooks::log::trial::send),
    )
    .says("Send a test event now, a conversation.creation of subscription 0 and thread 0, and tell what came of it")
    .gives(200, Payload::One(shape::<log::WebhookTrial>)),
    Operation::own(
        Verb::Get,
        "/apps/{appId}/webhook/attempts",
        "apps.webhook.attempts",
        door!(webhooks::log::attempts::list),
    )
    .says("List the requests that were sent to an app, newest first")
    .asks(&[
        CHANNEL,
        Parameter {
            name: "succeeded",
            kind: Kind::Boolean,
            help: "Only those that were taken, or only those that were not",
        },
        Parameter { name: "status", kind: Kind::Integer, help: "Only those answered with this status" },
        Parameter { name: "since", kind: Kind::Time, help: "Only those sent at this time or later" },
        LIMIT,
        AFTER,
    ])
    .gives(200, Payload::Page(shape::<log::WebhookAttempt>)),
    Operation::own(
        Verb::Get,
        "/apps/{appId}/webhook/attempts/{attemptId}",
        "apps.webhook.attempt",
        door!(webhooks::log::attempts::get),
    )
    .says("Read a request that was sent to an app, with its events")
        .asks(&[CHANNEL])
    .gives(200, Payload::One(shape::<log::WebhookAttempt>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/webhook/attempts/{attemptId}/resend",
        "apps.webhook.resend.attempt",
        door!(webhooks::log::resend::attempt),
    )
    .says("Send all events of a request again, whether they were taken or not")
        .asks(&[CHANNEL])
    .gives(200, Payload::One(shape::<log::Resent>)),
    Operation::own(
        Verb::Get,
        "/apps/{appId}/webhook/deliveries",
        "apps.webhook.deliveries",
        door!(webhooks::log::deliveries::list),
    )
    .says("List the events that an app has not taken")
    .asks(&[
        CHANNEL,
        Parameter {
            name: "state",
            kind: Kind::OneOf(webhooks::log::deliveries::STATES),
            help: "Those that are tried again, which is the default, or those that were given up",
        },
        LIMIT,
        AFTER,
    ])
    .gives(200, Payload::Page(shape::<log::WebhookDelivery>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/webhook/events/{eventId}/resend",
        "apps.webhook.resend.event",
        door!(webhooks::log::resend::event),
    )
    .says("Send one event again, whether it was taken or not")
        .asks(&[CHANNEL])
    .gives(200, Payload::One(shape::<log::Resent>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/webhook/resend",
        "apps.webhook.resend.failed",
        door!(webhooks::log::resend::failed),
    )
    .says("Send all events again whose last attempt failed at a time or later, given up or not")
        .asks(&[CHANNEL])
    .takes(shape::<log::WebhookResend>)
    .gives(200, Payload::One(shape::<log::Resent>)),
    Operation::own(
        Verb::Get,
        "/apps/{appId}/webhook/settings",
        "apps.webhook.settings.get",
        door!(webhooks::admin::settings_get),
    )
    .says("Read where an app is told of events")
    .gives(200, Payload::One(shape::<told::Settings>)),
    Operation::own(
        Verb::Put,
        "/apps/{appId}/webhook/settings",
        "apps.webhook.settings.put",
        door!(webhooks::admin::settings_put),
    )
    .says("Say where an app is told of events; a new place lifts a pause")
    .takes(shape::<told::SettingsChange>)
    .gives(200, Payload::One(shape::<told::Settings>)),
    Operation::own(
        Verb::Delete,
        "/apps/{appId}/webhook/settings",
        "apps.webhook.settings.delete",
        door!(webhooks::admin::settings_delete),
    )
    .says("Tell an app nothing more; its subscriptions stay")
    .gives(204, Payload::Nothing),
    Operation::own(
        Verb::Get,
        "/apps/{appId}/webhook/subscriptions",
        "apps.webhook.subscriptions.list",
        door!(webhooks::admin::subscriptions_list),
    )
    .says("List everything an app is told of")
    .gives(200, Payload::One(shape::<told::SubscriptionList>)),
    Operation::own(
        Verb::Post,
        "/apps/{appId}/webhook/subscriptions",
        "apps.webhook.subscriptions.create",
        door!(webhooks::admin::subscriptions_create),
    )
    .says("Have an app told of events; of none before the subscription is active")
    .takes(shape::<told::SubscriptionCreate>)
    .gives(201, Payload::One(shape::<told::Subscription>))
    .may_conflict(),
    Operation::own(
        Verb::Patch,
        "/apps/{appId}/webhook/subscriptions/{subscriptionId}",
        "apps.webhook.subscriptions.update",
        door!(webhooks::admin::subscriptions_update),
    )
    .says("Switch a subscription of an app on or off")
    .takes(shape::<told::SubscriptionPatch>)
    .gives(200, Payload::One(shape::<told::Subscription>)),
    Operation::own(
        Verb::Delete,
        "/apps/{appId}/webhook/subscriptions/{subscriptionId}",
        "apps.webhook.subscriptions.delete",
        door!(webhooks::admin::subscriptions_delete),
    )
    .says("Delete a subscription of an app")
    .gives(204, Payload::Nothing),
    Operation::own(Verb::Post, "/tokens", "tokens.create", door!(tokens::create::create))
        .says("Make a token; it is shown this once")
        .takes(shape::<own::TokenCreate>)
        .gives(201, Payload::One(shape::<own::Token>)),
    Operation::own(Verb::Get, "/tokens", "tokens.list", door!(tokens::list::list))
        .says("List tokens")
        .asks(&[LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<own::Token>)),
    Operation::own(Verb::Delete, "/tokens/{tokenId}", "tokens.revoke", door!(tokens::revoke::revoke))
        .says("Revoke a token")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Post, "/tokens/{tokenId}/rotate", "tokens.rotate", door!(tokens::rotate::rotate))
        .says("Replace a token by a fresh one; the old one lives on for seven days")
        .takes(shape::<own::TokenRotate>)
        .gives(201, Payload::One(shape::<own::Token>)),
    Operation::own(Verb::Post, "/inboxes", "own.inboxes.create", door!(inboxes::create::create))
        .says("Make an inbox")
        .takes(shape::<own::InboxCreate>)
        .gives(201, Payload::One(shape::<own::Inbox>)),
    Operation::own(Verb::Get, "/inboxes/{inboxId}", "own.inboxes.get", door!(inboxes::get::settings))
        .says("Read an inbox with its settings, archived or not")
        .gives(200, Payload::One(shape::<own::Inbox>)),
    Operation::own(Verb::Patch, "/inboxes/{inboxId}", "own.inboxes.update", door!(inboxes::update::update))
        .says("Change, archive or restore an inbox")
        .takes(shape::<own::InboxPatch>)
        .gives(200, Payload::One(shape::<own::Inbox>)),
    Operation::own(
        Verb::Delete,
        "/inboxes/{inboxId}",
        "own.inboxes.archive",
        door!(inboxes::update::archive),
    )
    .says("Archive an inbox that no channel account feeds")
    .gives(204, Payload::Nothing),
    Operation::own(Verb::Post, "/channel-accounts", "own.accounts.create", door!(accounts::create::create))
        .says("Connect a channel account")
        .takes(shape::<own::ChannelAccountCreate>)
        .gives(201, Payload::One(shape::<own::ChannelAccount>)),
    Operation::own(
        Verb::Get,
        "/channel-accounts/{channelAccountId}",
        "own.accounts.get",
        door!(accounts::get::settings),
    )
    .says("Read a channel account with its settings, archived or not")
    .gives(200, Payload::One(shape::<own::ChannelAccount>)),
    Operation::own(
        Verb::Patch,
        "/channel-accounts/{channelAccountId}",
        "own.accounts.update",
        door!(accounts::update::update),
    )
    .says("Change, archive or restore a channel account")
    .takes(shape::<own::ChannelAccountPatch>)
    .gives(200, Payload::One(shape::<own::ChannelAccount>)),
    Operation::own(
        Verb::Delete,
        "/channel-accounts/{channelAccountId}",
        "own.accounts.archive",
        door!(accounts::update::archive),
    )
    .says("Archive a channel account")
    .gives(204, Payload::Nothing),
    Operation::own(
        Verb::Post,
        "/channel-accounts/{channelAccountId}/purge",
        "own.accounts.purge",
        door!(accounts::purge::purge),
    )
    .says("Remove an archived account of an app's channel for good; its conversations keep their history")
    .gives(204, Payload::Nothing),
    Operation::own(Verb::Post, "/channels/{channelId}/connect", "channels.connect", door!(connect::begin))
        .says("Begin to connect an account: the browser is to go to the integration's page next")
        .takes(shape::<own::ChannelConnect>)
        .gives(201, Payload::One(shape::<own::ChannelConnection>)),
    Operation::own(
        Verb::Get,
        "/portals/{portalId}/channel-connections/{accountToken}",
        "channels.connected",
        door!(connect::finish),
    )
    .open()
    .says("Where the integration sends the browser when the account is connected; programs ask for JSON by `Accept`")
    .or_page()
    .gives(200, Payload::One(shape::<own::ChannelConnected>)),
    Operation::own(Verb::Post, "/agents", "agents.create", door!(actors::create::agent))
        .says("Make an agent")
        .takes(shape::<own::ActorCreate>)
        .gives(201, Payload::One(shape::<own::Actor>)),
    Operation::own(Verb::Get, "/agents", "agents.list", door!(actors::list::agents))
        .or_agents()
        .says("List agents")
        .asks(&[LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<own::Actor>)),
    Operation::own(Verb::Patch, "/agents/{agentId}", "agents.update", door!(actors::update::agent))
        .says("Change or deactivate an agent")
        .takes(shape::<own::ActorPatch>)
        .gives(200, Payload::One(shape::<own::Actor>)),
    Operation::own(Verb::Post, "/bots", "bots.create", door!(actors::create::bot))
        .says("Make a bot")
        .takes(shape::<own::ActorCreate>)
        .gives(201, Payload::One(shape::<own::Actor>)),
    Operation::own(Verb::Get, "/bots", "bots.list", door!(actors::list::bots))
        .or_agents()
        .says("List bots")
        .asks(&[LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<own::Actor>)),
    Operation::own(Verb::Patch, "/bots/{botId}", "bots.update", door!(actors::update::bot))
        .says("Change or deactivate a bot")
        .takes(shape::<own::ActorPatch>)
        .gives(200, Payload::One(shape::<own::Actor>)),
    Operation::own(Verb::Post, "/llms", "llms.create", door!(actors::create::llm))
        .says("Make an AI agent")
        .takes(shape::<own::ActorCreate>)
        .gives(201, Payload::One(shape::<own::Actor>)),
    Operation::own(Verb::Get, "/llms", "llms.list", door!(actors::list::llms))
        .or_agents()
        .says("List AI agents")
        .asks(&[LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<own::Actor>)),
    Operation::own(Verb::Patch, "/llms/{llmId}", "llms.update", door!(actors::update::llm))
        .says("Change or deactivate an AI agent")
        .takes(shape::<own::ActorPatch>)
        .gives(200, Payload::One(shape::<own::Actor>)),
    Operation::own(Verb::Post, "/contacts", "contacts.create", door!(contacts::create::create))
        .or_agents()
        .says("Make a contact")
        .takes(shape::<own::ContactRequest>)
        .gives(201, Payload::One(shape::<own::Contact>)),
    Operation::own(Verb::Get, "/contacts", "contacts.list", door!(contacts::list::list))
        .or_agents()
        .says("List contacts")
        .asks(&[
            Parameter { name: "email", kind: Kind::Text, help: "Only the contact with this address" },
            LIMIT,
            AFTER,
        ])
        .gives(200, Payload::Page(shape::<own::Contact>)),
    Operation::own(Verb::Get, "/contacts/{contactId}", "contacts.get", door!(contacts::get::get))
        .or_agents()
        .says("Read a contact, or a visitor that is none yet")
        .gives(200, Payload::One(shape::<own::Contact>)),
    Operation::own(Verb::Patch, "/contacts/{contactId}", "contacts.update", door!(contacts::update::update))
        .or_agents()
        .says("Change a contact, or make one of a visitor")
        .takes(shape::<own::ContactRequest>)
        .gives(200, Payload::One(shape::<own::Contact>)),
    Operation::own(Verb::Get, "/contacts/{contactId}/export", "contacts.export", door!(contacts::export::export))
        .says("Hand out all that is known of a contact or visitor, with everything that was said")
        .gives(200, Payload::One(shape::<people::PersonExport>)),
    Operation::own(Verb::Post, "/contacts/{contactId}/erase", "contacts.erase", door!(contacts::erase::begin))
        .says("Erase a contact or visitor for good, with everything that was said")
        .gives(202, Payload::One(shape::<people::Erasure>)),
    Operation::own(Verb::Get, "/contacts/{contactId}/erase", "contacts.erasure", door!(contacts::erase::state))
        .says("How far erasing somebody is")
        .gives(200, Payload::One(shape::<people::Erasure>)),
    Operation::own(Verb::Post, "/tickets", "tickets.create", door!(tickets::create::create))
        .or_agents()
        .says("Make a ticket")
        .takes(shape::<own::TicketCreate>)
        .gives(201, Payload::One(shape::<own::Ticket>)),
    Operation::own(Verb::Get, "/tickets", "tickets.list", door!(tickets::list::list))
        .or_agents()
        .says("List tickets")
        .asks(&[LIMIT, AFTER])
        .gives(200, Payload::Page(shape::<own::Ticket>)),
    Operation::own(Verb::Get, "/tickets/{ticketId}", "tickets.get", door!(tickets::get::get))
        .or_agents()
        .says("Read a ticket")
        .gives(200, Payload::One(shape::<own::Ticket>)),
    Operation::own(Verb::Post, "/files", "files.register", door!(files::register::register))
        .says("Make a file known that is hosted elsewhere")
        .takes(shape::<own::FileCreate>)
        .gives(201, Payload::One(shape::<own::File>)),
    Operation::own(Verb::Get, "/files/{fileId}", "files.get", door!(files::register::get))
        .or_agents()
        .says("Read where a file is")
        .gives(200, Payload::One(shape::<own::File>)),
    Operation::own(Verb::Post, "/threads", "own.threads.start", door!(threads::start::open))
        .scope(Scope::Inbound)
        .says("Start a thread from inside")
        .limit(MESSAGE_LIMIT)
        .takes(shape::<own::ThreadStart>)
        .gives(201, Payload::One(shape::<ThreadSchema>)),
    Operation::own(
        Verb::Post,
        "/messages/incoming",
        "own.messages.incoming",
        door!(messages::inject::inject),
    )
    .scope(Scope::Inbound)
    .says("Inject an incoming message, shaped like a letter, a chat or a form")
    .limit(MESSAGE_LIMIT)
    .takes(shape::<own::Inbound>)
    .gives(201, Payload::One(shape::<own::Injected>)),
    Operation::own(
        Verb::Put,
        "/threads/{threadId}/inbox",
        "own.threads.relocate",
        door!(threads::relocate::to_inbox),
    )
    .or_agents()
        .says("Move a thread to another inbox")
    .takes(shape::<own::InboxMove>)
    .gives(200, Payload::One(shape::<ThreadSchema>)),
    Operation::own(Verb::Put, "/threads/{threadId}/spam", "own.threads.spam", door!(threads::spam::mark))
        .or_agents()
        .says("Mark a thread as spam")
        .gives(200, Payload::One(shape::<ThreadSchema>)),
    Operation::own(
        Verb::Delete,
        "/threads/{threadId}/spam",
        "own.threads.unspam",
        door!(threads::spam::unmark),
    )
    .or_agents()
        .says("Take the mark from a thread")
    .gives(204, Payload::Nothing),
    Operation::own(
        Verb::Put,
        "/threads/{threadId}/ticket",
        "own.threads.link",
        door!(threads::link::to_ticket),
    )
    .or_agents()
        .says("Link a thread to a ticket")
    .takes(shape::<own::TicketLink>)
    .gives(200, Payload::One(shape::<ThreadSchema>)),
    Operation::own(
        Verb::Delete,
        "/threads/{threadId}/ticket",
        "own.threads.unlink",
        door!(threads::link::unlink),
    )
    .or_agents()
        .says("Unlink a thread from its ticket")
    .gives(204, Payload::Nothing),
    Operation::own(
        Verb::Put,
        "/threads/{threadId}/messages/{messageId}/status",
        "own.messages.status",
        door!(messages::status::report),
    )
    .scope(Scope::Inbound)
    .says("Report what became of an outgoing message")
    .takes(shape::<own::DeliveryUpdate>)
    .gives(200, Payload::One(shape::<MessageSchema>)),
    Operation::own(Verb::Get, "/events", "events.list", door!(events::list::list))
        .scope(Scope::Read)
        .flowing()
        .says("Read what happened, in order, or listen to it")
        .asks(&[
            Parameter { name: "after", kind: Kind::Integer, help: "Position of the last event already seen" },
            LIMIT,
            Parameter {
                name: "wait",
                kind: Kind::Integer,
                help: "So many seconds, 60 at most, an answer may wait for the first event; 0 if absent",
            },
            Parameter { name: "type", kind: Kind::SomeOf(&NAMES), help: "Only these kinds" },
            Parameter {
                name: "inboxId",
                kind: Kind::Integers,
                help: "Only threads that are in one of these inboxes when they are told of",
            },
            Parameter { name: "threadId", kind: Kind::Integers, help: "Only these threads" },
        ])
        .gives(200, Payload::One(shape::<own::EventPage>)),
];

/// Largest body that brings a message.
pub(super) const MESSAGE_LIMIT: usize = 5 << 20;

pub(super) const LIMIT: Parameter = Parameter {
    name: "limit",
    kind: Kind::Integer,
    help: "Most results of a page, 100 if absent and at most 500",
};
const CHANNEL: Parameter = Parameter {
    name: "channelId",
    kind: Kind::Integer,
    help: "The channel that the app brought of which it is told, instead of what it subscribed to",
};
pub(super) const AFTER: Parameter =
    Parameter { name: "after", kind: Kind::Text, help: "Cursor of the page before" };
