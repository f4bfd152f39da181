//! `/antiphon/v1/session`: agents who sign in.

use antiphon_wire::session as wire;

use crate::door;
use crate::operation::{Operation, Payload, Verb, shape};
use crate::sessions;

pub const TABLE: &[Operation] = &[
    Operation::own(Verb::Post, "/session", "session.begin", door!(sessions::begin::begin))
        .unguarded()
        .says("Sign in; the answer sets a cookie")
        .takes(shape::<wire::SignIn>)
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
];
