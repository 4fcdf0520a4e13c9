//! A run: the pure [`schedule`], the loop that touches the world ([`drive`](drive())), and the [`event`]s
//! that everything else reads.

mod drive;
pub mod event;
mod launch;
mod look;
mod memory;
pub mod preview;
mod provenance;
mod reason;
mod resources;
mod schedule;
mod settle;
mod work;

pub use drive::{Ended, RunError, Settings, Stop, drive};
pub use event::{Asked, CallState, Event, FinalState, Finished, Observer, Totals};
pub use look::read_sources;
pub use resources::{Amounts, amounts};
pub use schedule::{Effect, Input, Schedule, Urgency};
