//! The checker, asked through its front door.

mod examples;
mod space;
