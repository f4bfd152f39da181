//! The inbox: what happens. A folder per noun, a file per verb.
//!
//! A request enters through `serve`, passes `middleware`, finds its door in `routes`, and the door hands a rule to the store.

pub mod accounts;
pub mod actors;
pub mod app;
pub mod apps;
pub mod audit;
pub mod backups;
pub mod call;
pub mod canned_replies;
pub mod channels;
pub mod checks;
pub mod cli;
pub mod config;
pub mod contacts;
pub mod custom_channels;
pub mod demo;
pub mod directory;
pub mod docs;
pub mod drafts;
pub mod events;
pub mod files;
pub mod health;
pub mod identification;
pub mod inboxes;
pub mod jobs;
pub mod journal;
pub mod keys;
pub mod listing;
pub mod mentions;
pub mod messages;
pub mod metrics;
pub mod middleware;
pub mod moves;
pub mod oauth;
pub mod openapi;
pub mod operation;
pub mod outbound;
pub mod pages;
pub mod portals;
pub mod realtime;
pub mod refusal;
pub mod routes;
pub mod serve;
pub mod sessions;
pub mod tags;
#[cfg(test)]
mod testing;
pub mod threads;
pub mod tickets;
pub mod tokens;
pub mod ui;
pub mod views;
pub mod webhooks;
pub mod widget;
