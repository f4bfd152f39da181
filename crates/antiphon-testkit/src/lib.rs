//! How we try it: a server in the test's own process with a still clock and counted ids, the real program in a process of
//! its own, and a judge that holds every answer against our own API description.

mod connection;
mod disk;
mod home;
mod live;
mod portal;
mod program;
mod receiver;
mod reply;
mod seed;
mod server;
mod strict;
mod teller;
mod user;

pub use connection::Connection;
pub use disk::{Dial, Disk};
pub use home::Home;
pub use live::{EventStream, Frame, Socket, listen, opening};
pub use portal::{EVERY_SCOPE, PASSWORD, Portal};
pub use program::{Program, Running, copy_dir};
pub use receiver::{Reaction, Received, TestReceiver};
pub use reply::Reply;
pub use seed::{SEED_TOKEN, Seed, seed};
pub use server::{EPOCH, PUBLIC_URL, TestServer, document, notes, request};
pub use strict::Strict;
pub use teller::Teller;
pub use user::User;
