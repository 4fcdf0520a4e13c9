//! `--json`: events as lines on standard output.

use std::io::Write;

use kyobashi_engine::run::{Event, Observer, Totals};

use crate::talk;

/// Prints every event but progress.
pub(crate) struct Lines;

impl Observer for Lines {
    fn see(&mut self, event: &Event) {
        if !matches!(event, Event::NodeNoted { .. }) {
            // Nobody reads any more: the run goes on and its journal is whole.
            let _ = talk::json(event);
        }
    }

    fn again(&mut self, lines: &[u8], _totals: &Totals) {
        // As above.
        let _ = std::io::stdout().lock().write_all(lines);
    }
}
