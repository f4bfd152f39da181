//! One table: every operation and each API version that serves it. The router, `Allow`, the OpenAPI document, the
//! coverage test and the isolation test are all made from it.

use crate::call::{Answered, Call};

/// The version an operation was called in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    V3,
    Beta2026_09,
    V2026_09,
    /// `/antiphon/v1`
    Own,
}

/// What a token must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    Read,
    Write,
    /// `antiphon.admin`: our own calls that change the directory.
    Admin,
    /// `antiphon.inbound`: injecting traffic and starting threads.
    Inbound,
}
