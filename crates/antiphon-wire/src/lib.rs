//! How Antiphon speaks: the shapes of the HubSpot Conversations API and of our own, as pure data.
//!
//! Nothing here decides anything, stores anything or knows HTTP beyond names and numbers. Request types read leniently
//! what real clients send; response types print exactly what the contract promises: absent, never null.

#![deny(missing_docs)]

pub mod account;
pub mod actor;
pub mod answering;
pub mod attachment;
pub mod batch;
pub mod channel;
pub mod channel_events;
pub mod cursor;
pub mod custom_channels;
pub mod error;
pub mod events;
pub mod files;
pub mod id;
pub mod identification;
pub mod inbox;
pub mod journal;
pub mod keys;
pub mod lenient;
pub mod live;
pub mod message;
pub mod oauth;
pub mod own;
pub mod page;
pub mod people;
pub mod query;
pub mod schema;
pub mod session;
pub mod thread;
pub mod timestamp;
pub mod webhook_log;
pub mod webhooks;
pub mod widget;
pub mod work;
