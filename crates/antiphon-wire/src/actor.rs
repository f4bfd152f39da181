//! Actors: everybody and everything that acts in a thread.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use crate::id::{MAX_INT32, MAX_SAFE, parse_path_id};
use crate::lenient::wire_enum;
use crate::message::is_email;

wire_enum! {
    /// What an actor is.
    pub enum ActorType {
        /// A user of the account.
        Agent = "AGENT",
        /// A bot.
        Bot = "BOT",
        /// An address that is nobody known.
        Email = "EMAIL",
        /// An app.
        Integrator = "INTEGRATOR",
        /// An AI agent.
        Llm = "LLM",
        /// The server.
        System = "SYSTEM",
        /// The customer.
        Visitor = "VISITOR",
    }
}

/// An actor as every version prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Actor {
    /// A letter, a hyphen and an identifier.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ActorType,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub email: Option<String>,
    /// Absolute URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar: Option<String>,
}

impl Actor {
    /// An actor of which nothing but its id is known.
    pub fn new(id: &ActorId) -> Self {
        Self { id: id.to_string(), kind: id.kind(), name: None, email: None, avatar: None }
    }
}

/// The id of the system itself.
pub const SYSTEM: &str = "S-hubspot";

/// An actor id, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActorId {
    /// `A-` and a user id.
    Agent(i64),
    /// `B-` and a bot id.
    Bot(i64),
    /// `E-` and an email address.
    Email(String),
    /// `I-` and an app id.
    Integrator(i64),
    /// `L-` and the id of an AI agent.
    Llm(i64),
    /// `S-hubspot`.
    System,
    /// `V-` and a contact or visitor id.
    Visitor(i64),
}

/// Why a text is no actor id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorIdError {
    /// It does not begin with a known letter and a hyphen.
    UnknownPrefix,
    /// It does, and what follows cannot be an identifier of that kind.
    Malformed,
}

impl ActorId {
    /// Takes an actor id apart.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, ActorIdError> {
        let (prefix, rest) = text.split_once('-').ok_or(ActorIdError::UnknownPrefix)?;
        let number = |max| parse_path_id(rest, max).ok_or(ActorIdError::Malformed);
        match prefix {
            "A" => number(MAX_SAFE).map(Self::Agent),
            "B" => number(MAX_SAFE).map(Self::Bot),
            "E" if is_email(rest) => Ok(Self::Email(rest.to_owned())),
            "I" => number(MAX_INT32).map(Self::Integrator),
            "L" => number(MAX_SAFE).map(Self::Llm),
            "S" if text == SYSTEM => Ok(Self::System),
            "V" => number(MAX_SAFE).map(Self::Visitor),
            "E" | "S" => Err(ActorIdError::Malformed),
            _ => Err(ActorIdError::UnknownPrefix),
        }
    }

    /// What the actor is.
    pub const fn kind(&self) -> ActorType {
        match self {
            Self::Agent(_) => ActorType::Agent,
            Self::Bot(_) => ActorType::Bot,
            Self::Email(_) => ActorType::Email,
            Self::Integrator(_) => ActorType::Integrator,
            Self::Llm(_) => ActorType::Llm,
            Self::System => ActorType::System,
            Self::Visitor(_) => ActorType::Visitor,
        }
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(id) => write!(f, "A-{id}"),
            Self::Bot(id) => write!(f, "B-{id}"),
            Self::Email(address) => write!(f, "E-{address}"),
            Self::Integrator(id) => write!(f, "I-{id}"),
            Self::Llm(id) => write!(f, "L-{id}"),
            Self::System => f.write_str(SYSTEM),
            Self::Visitor(id) => write!(f, "V-{id}"),
        }
    }
}
