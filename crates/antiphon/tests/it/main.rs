//! The API from the outside, in process: a real store, a still clock, counted ids. Every answer is held against our own
//! OpenAPI document on its way back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod actors;
mod answering;
mod apps;
mod assignee;
mod attachments;
mod buckets;
mod carried;
mod channels;
mod closing;
mod connecting;
mod conventions;
mod coverage;
mod crowded;
mod custom_channels;
mod database;
mod deliveries;
mod directory;
mod doctor;
mod files;
mod grants;
mod guests;
mod health;
mod hostile_channels;
mod hostile_files;
mod house;
mod identification;
mod imports;
mod installs;
mod isolation;
mod journal;
mod keys;
mod kit;
mod lifecycle;
mod messages_read;
mod messages_send;
mod oauth;
mod outbound;
mod own;
mod own_threads;
mod paging;
mod published;
mod queries;
mod relay;
mod scenarios;
mod since;
mod socket;
mod stream;
mod threads;
mod tokens;
mod undelivered;
mod update;
mod webhook_log;
mod webhooks;
