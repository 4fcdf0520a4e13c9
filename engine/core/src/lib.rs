//! The engine of Kyobashi: text → [`spec`] → plan → run → events.

pub mod spec;
