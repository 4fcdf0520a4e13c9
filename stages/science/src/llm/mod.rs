//! Language models.
mod provider;
pub use provider::Providers;
