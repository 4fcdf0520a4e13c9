//! The check: a pipeline's text → a [`Spec`](super::Spec), or everything that is wrong with it.
//!
//! Read in this order: [`entry`] is the way through; [`file`] and [`draft`] read structure;
//! [`layers`], [`types`], [`models`], [`params`] the head of a file; [`stages`] orders and opens a
//! level, [`work`] takes one stage, with [`fan`], [`uses`], [`group`], [`script`]; [`scope`],
//! [`reference`], [`expression`], [`value`] give names and values their types.
//!
//! Nothing here stops at the first problem: what is broken was told, and has type `any` from then on.

mod budget;
mod draft;
mod draft_fan;
mod early;
mod entry;
mod expression;
mod fan;
mod file;
mod form;
mod function;
mod graph;
mod group;
mod heads;
mod layers;
mod models;
mod named;
mod params;
mod path;
mod policy;
mod pools;
mod prompt;
mod reference;
mod roles;
mod scope;
mod script;
mod stages;
mod state;
mod types;
mod uses;
mod value;
mod words;
mod work;

pub use entry::check;
pub(super) use function::function_name;
pub use policy::size;
pub use words::words;
