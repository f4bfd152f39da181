//! Visitor identification: tokens with which pages tell who their visitor is.

use antiphon_wire::identification::{VisitorToken, VisitorTokenCreate, VisitorTokenSays, VisitorTokenVerify};

use crate::door;
use crate::identification::{create, verify};
use crate::operation::{Family, Operation, Payload, Scope, Verb, shape};

pub const TABLE: &[Operation] = &[
    Operation::own(Verb::Post, "/tokens/create", "visitors.tokens.create", door!(create::create))
        .of(Family::Identification)
        .scope(Scope::VisitorTokens)
        .says("Vouch for a visitor's email address for twelve hours; address, names and context take 16 kB of JSON at most")
        .takes(shape::<VisitorTokenCreate>)
        .gives(200, Payload::One(shape::<VisitorToken>)),
    Operation::own(Verb::Post, "/visitor-tokens/verify", "visitors.tokens.verify", door!(verify::verify))
        .says("Whom a visitor's token identifies, or why it does not")
        .takes(shape::<VisitorTokenVerify>)
        .gives(200, Payload::One(shape::<VisitorTokenSays>)),
];
