//! `/antiphon/v1/session`: agents who sign in.

use antiphon_wire::session as wire;

use crate::door;
use crate::operation::{Kind, Operation, Parameter, Payload, Scope, Verb, shape};
use crate::{audit, sessions};

pub const TABLE: &[Operation] = &[
    Operation::own(Verb::Post, "/session", "session.begin", door!(sessions::begin::begin))
        .unguarded()
        .says("Sign in; the answer sets a cookie")
        .takes(shape::<wire::SignIn>)
        .may_conflict()
        .gives(200, Payload::One(shape::<wire::Session>)),
    Operation::own(Verb::Get, "/session", "session.show", door!(sessions::show::show))
        .signed_in()
        .says("Who is signed in")
        .gives(200, Payload::One(shape::<wire::Session>)),
    Operation::own(Verb::Delete, "/session", "session.end", door!(sessions::end::end))
        .signed_in()
        .says("Sign out")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Get, "/session/list", "session.list", door!(sessions::list::list))
        .signed_in()
        .says("Where the agent is signed in")
        .gives(200, Payload::One(shape::<wire::Sessions>)),
    Operation::own(Verb::Delete, "/session/others", "session.end.others", door!(sessions::end::others))
        .signed_in()
        .says("Sign the agent out everywhere else")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Delete, "/session/list/{sessionId}", "session.end.one", door!(sessions::end::one))
        .signed_in()
        .says("Sign the agent out in one browser")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Get, "/sign-in/options", "sign-in.options", door!(sessions::options::options))
        .unguarded()
        .says("What a page for signing in has to offer")
        .gives(200, Payload::One(shape::<wire::SignInOptions>)),
    Operation::own(Verb::Get, "/oidc/start", "oidc.start", door!(sessions::oidc::start))
        .unguarded()
        .says("Send the browser to where agents sign in, too")
        .asks(&[Parameter {
            name: "return",
            kind: Kind::Text,
            help: "The path below `/inbox` to which it comes back in the end; `/inbox/` if absent",
        }])
        .gives(302, Payload::Nothing),
    Operation::own(Verb::Get, "/oidc/callback", "oidc.callback", door!(sessions::oidc::callback))
        .unguarded()
        .says("Where it comes back to from there; the answer sets a cookie")
        .asks(&[
            Parameter { name: "code", kind: Kind::Text, help: "What is exchanged for who it is" },
            Parameter { name: "state", kind: Kind::Text, help: "What it was sent away with" },
            Parameter { name: "error", kind: Kind::Text, help: "Why there is no code" },
        ])
        .gives(302, Payload::Nothing),
    Operation::own(Verb::Patch, "/session/agent", "session.agent", door!(sessions::profile::update))
        .signed_in()
        .says("Change one's own name, picture or password; with another password the answer sets a fresh cookie")
        .takes(shape::<wire::ProfilePatch>)
        .gives(200, Payload::One(shape::<wire::Session>)),
    Operation::own(Verb::Post, "/session/totp", "session.totp.ask", door!(sessions::totp::ask))
        .signed_in()
        .may_conflict()
        .says("A secret for an authenticator; it counts once a code of it has come")
        .gives(201, Payload::One(shape::<wire::TotpAsked>)),
    Operation::own(Verb::Put, "/session/totp", "session.totp.enable", door!(sessions::totp::enable))
        .signed_in()
        .says("Ask for codes of the authenticator from now on")
        .takes(shape::<wire::TotpCode>)
        .gives(200, Payload::One(shape::<wire::RecoveryCodes>)),
    Operation::own(Verb::Delete, "/session/totp", "session.totp.disable", door!(sessions::totp::disable))
        .signed_in()
        .says("Ask for the password alone")
        .takes(shape::<wire::PasswordAgain>)
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Delete, "/agents/{agentId}/totp", "agents.totp.reset", door!(sessions::totp::reset))
        .says("Ask an agent for the password alone who has lost the authenticator")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Post, "/setup", "setup", door!(sessions::setup::set_up))
        .unguarded()
        .says("Make the first administrator, by the link that the server has printed; the answer sets a cookie")
        .takes(shape::<wire::Setup>)
        .gives(200, Payload::One(shape::<wire::Session>)),
    Operation::own(Verb::Post, "/invitations", "invitations.create", door!(sessions::invite::create))
        .says("A link with which an agent chooses a password; the one before it ends")
        .takes(shape::<wire::Invite>)
        .gives(201, Payload::One(shape::<wire::Invitation>)),
    Operation::own(Verb::Get, "/invitations", "invitations.list", door!(sessions::invite::list))
        .says("The links that are good")
        .gives(200, Payload::One(shape::<wire::Invitations>)),
    Operation::own(Verb::Delete, "/invitations/{agentId}", "invitations.revoke", door!(sessions::invite::revoke))
        .says("End the link of an agent")
        .gives(204, Payload::Nothing),
    Operation::own(Verb::Post, "/invitations/accept", "invitations.accept", door!(sessions::invite::accept))
        .unguarded()
        .says("Choose a password by such a link; the answer sets a cookie")
        .takes(shape::<wire::InviteAccept>)
        .gives(200, Payload::One(shape::<wire::Session>)),
    Operation::own(Verb::Get, "/audit", "audit.list", door!(audit::list::list))
        .says("Who changed what in the portal's settings, the newest first")
        .asks(AUDIT)
        .gives(200, Payload::One(shape::<wire::AuditPage>)),
    Operation::own(Verb::Get, "/audit/server", "audit.server", door!(audit::list::of_server))
        .scope(Scope::Operator)
        .says("What was asked of the server as a whole, the newest first: portals, keys, backups, moves")
        .asks(AUDIT)
        .gives(200, Payload::One(shape::<wire::AuditPage>)),
];

const AUDIT: &[Parameter] = &[
    Parameter {
        name: "limit",
        kind: Kind::Integer,
        help: "Most results of a page, 50 if absent and at most 500",
    },
    Parameter { name: "after", kind: Kind::Text, help: "Cursor of the page before" },
    Parameter { name: "actor", kind: Kind::Text, help: "Only what this actor did" },
    Parameter { name: "action", kind: Kind::Text, help: "Only what was done by this operation" },
];
