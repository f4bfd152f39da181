//! The inbox: what happens. A folder per noun, a file per verb.
//!
//! A request enters through `serve`, passes `middleware`, finds its door in `routes`, and the door hands a rule to the store.

pub mod app;
pub mod backups;
pub mod call;
pub mod cli;
pub mod config;
pub mod docs;
pub mod events;
pub mod health;
pub mod jobs;
pub mod messages;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod operation;
pub mod refusal;
pub mod routes;
pub mod serve;
#[cfg(test)]
mod testing;
pub mod threads;
