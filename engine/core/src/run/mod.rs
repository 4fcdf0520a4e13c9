//! A run: the pure [`schedule`], the loop that touches the world ([`drive`](drive())), and the [`event`]s
//! that everything else reads.

mod already;
pub mod cassette;
mod drive;
mod effect;
pub mod estimate;
pub mod event;
pub mod generation;
mod launch;
pub mod ledger;
mod look;
mod memory;
mod nearest;
mod order;
pub mod preview;
mod provenance;
mod purse;
mod queue;
mod reason;
pub mod refresh;
mod room;
mod schedule;
mod settle;
mod slots;
mod work;

pub use already::{Already, Known};
pub use drive::{Ended, RunError, Settings, Stop, drive};
pub use effect::{Effect, Input, Urgency};
pub use event::{
    Asked, CallState, Event, FinalState, Finished, JOURNAL_VERSION, MadeFrom, Observer, Totals,
};
pub use look::{read_paths, read_sources};
pub use memory::{Mode, call_key};
pub use order::Durations;
pub use room::Taken;
pub use schedule::Schedule;
