//! The report of a study: one HTML page that needs nothing beside itself.

mod forest;
mod html;
mod view;

pub(crate) use html::Html;
