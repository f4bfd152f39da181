//! The command line: a file per command. Every command has `--json`, and every failure is one sentence.

mod account;
mod agent;
mod app;
mod backup;
mod channel;
mod contact;
mod doctor;
mod health;
mod house;
mod inbox;
mod key;
mod manage;
mod migrate;
mod openapi;
pub mod operator;
mod portal;
mod restore;
mod serve;
mod ticket;
mod token;
mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Flags};
use manage::Managed;

/// An open-source conversations inbox that speaks the HubSpot Conversations API.
#[derive(Debug, Parser)]
#[command(name = "antiphon", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Serve,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Configuration file [default: antiphon.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of the embedded store and the control socket [default: ./antiphon-data]
    #[arg(long, global = true, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// Engine and place of the store: sqlite:./antiphon-data, postgres://user:password@host/database
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
}

impl Common {
    fn flags(&self) -> Flags {
        Flags {
            file: self.config.clone(),
            data_dir: self.data_dir.clone(),
            store: self.store.clone(),
            ..Flags::default()
        }
    }

    /// The configuration of a command that does not serve.
    ///
    /// # Errors
    /// One sentence about what is wrong with it.
    pub fn load(&self) -> anyhow::Result<Config> {
        Config::load(&self.flags())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API (what antiphon does when it is given no command)
    Serve(serve::Serve),
    /// Make, list and change portals
    Portal(portal::Portal),
    /// Make, list, revoke and rotate tokens
    Token(Managed<token::Token>),
    /// Make, list, suspend and resume apps, and rotate their secrets
    App(Managed<app::App>),
    /// List and rotate the keys with which the server signs, and replace the master key
    Key(key::Keys),
    /// Show how apps take what they are told, send it again, pause and try them
    Webhook(Managed<webhook::Webhook>),
    /// Make, list, change and archive inboxes
    Inbox(Managed<inbox::Inbox>),
    /// Make, list and archive the channels that apps bring
    Channel(Managed<channel::Channel>),
    /// Connect, list, change and archive channel accounts
    Account(Managed<account::Account>),
    /// Make, list, change and deactivate agents
    Agent(Managed<agent::Agent>),
    /// Make and list contacts
    Contact(Managed<contact::Contact>),
    /// Make and list tickets, and link threads to them
    Ticket(Managed<ticket::Ticket>),
    /// Print the OpenAPI document
    Openapi,
    /// Read everything the server keeps, and say how it and its data are
    Doctor(doctor::Doctor),
    /// Ask the running server whether it serves, as a container's health check
    Health(health::Health),
    /// Bring the store to this version's schema, after a snapshot
    Migrate(migrate::Migrate),
    /// Copy the store into one file while it serves
    Backup(backup::Backup),
    /// Put a backup into an empty data directory
    Restore(restore::Restore),
    /// Move everything to another place: a directory or a PostgreSQL database, either way
    Move(house::Move),
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let common = cli.common;
    let result = match cli.command {
        None => cli.serve.run(&common),
        Some(Command::Serve(serve)) => serve.run(&common),
        Some(Command::Portal(portal)) => portal.run(&common),
        Some(Command::Token(token)) => token.run(&common),
        Some(Command::App(app)) => app.run(&common),
        Some(Command::Key(key)) => key.run(&common),
        Some(Command::Webhook(webhook)) => webhook.run(&common),
        Some(Command::Inbox(inbox)) => inbox.run(&common),
        Some(Command::Channel(channel)) => channel.run(&common),
        Some(Command::Account(account)) => account.run(&common),
        Some(Command::Agent(agent)) => agent.run(&common),
        Some(Command::Contact(contact)) => contact.run(&common),
        Some(Command::Ticket(ticket)) => ticket.run(&common),
        Some(Command::Openapi) => openapi::run(&common),
        Some(Command::Doctor(doctor)) => doctor.run(&common),
        Some(Command::Health(health)) => health.run(&common),
        Some(Command::Migrate(migrate)) => migrate.run(&common),
        Some(Command::Backup(backup)) => backup.run(&common),
        Some(Command::Restore(restore)) => restore.run(&common),
        Some(Command::Move(house)) => house.run(&common),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if common.json => {
            eprintln!("{}", serde_json::json!({ "status": "error", "message": error.to_string() }));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("antiphon: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what a command does.
///
/// # Errors
/// Whatever the work fails with.
pub fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_tree_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bare_and_named_calls_serve_alike() {
        let bare = Cli::try_parse_from(["antiphon", "--listen", "127.0.0.1:0", "--demo", "--data-dir", "x"])
            .unwrap();
        assert!(bare.command.is_none());
        assert_eq!(bare.common.data_dir, Some("x".into()));
        let named = Cli::try_parse_from(["antiphon", "serve", "--listen", "127.0.0.1:0", "--json"]).unwrap();
        assert!(matches!(named.command, Some(Command::Serve(_))));
        assert!(named.common.json);
    }
}
