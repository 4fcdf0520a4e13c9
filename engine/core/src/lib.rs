//! The engine of Kyobashi: text → [`spec`] → [`plan`] → [`run`] → events.
//!
//! ```text
//! spec::check   YAML text → Spec, or all problems at once
//! plan::grow    Spec → Graph (petgraph); keys, addresses, values of expressions
//! run::schedule a pure machine: Input in, Effect out
//! run::drive    the only loop that touches the world
//! exec          how one call is carried out: in process, worker, shell
//! ```
//! Every arrow is a function and never runs back. The engine knows no particular stage, no terminal, no
//! HTTP and no environment variable: all of that is given to it.

pub mod artifact;
mod artifacts;
pub mod exec;
pub mod plan;
pub mod run;
pub mod spec;
