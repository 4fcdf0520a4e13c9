//! Language models: who serves them, how a request is written in each dialect, how it is sent and
//! retried, and how a reply is read. One way in: [`Client::ask`].
//!
//! A call is a keyed request ([`kyobashi_stage::Context::call`]): the whole body enters its key, a
//! credential never does.

mod anthropic;
mod ask;
mod chat;
mod client;
mod dialect;
mod edit;
mod evidence;
mod examples;
mod fence;
mod form;
mod gemini;
mod http;
mod image;
mod json;
mod lane;
mod local;
mod price;
mod prompt;
mod provider;
mod responses;
mod retry;
mod review;
mod schema;
mod secret;
mod talk;
mod wanted;

pub use dialect::Dialect;
pub use local::served;
pub use provider::{Auth, Limits, Provider, Providers};

pub(crate) use ask::{Ask, Schema, Turn};
pub(crate) use client::Client;
pub(crate) use edit::Edit;
pub(crate) use fence::blocks;
pub(crate) use form::{Form, Kind};
pub(crate) use json::last_object;
pub(crate) use prompt::enclosed;
pub(crate) use review::Review;
pub(crate) use schema::object;
pub(crate) use talk::{Chat, Judged, converse, longest, model, set, settings};
