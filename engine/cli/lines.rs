//! `--json`: events as lines on standard output.

use std::io::{ErrorKind, Write};

use kyobashi_engine::run::{Event, Observer, Totals};

use crate::talk;

/// Prints every event but progress.
#[derive(Default)]
pub(crate) struct Lines {
    /// Whether it was said that nobody gets them.
    told: bool,
}

impl Lines {
    /// The run goes on and its journal is whole, whoever reads here. Who stopped to read knows it; who has
    /// no room for the lines does not.
    fn written(&mut self, result: std::io::Result<()>) {
        if let Err(error) = result
            && error.kind() != ErrorKind::BrokenPipe
            && !self.told
        {
            self.told = true;
            let told = format!("warning: events are missing from the output: {error}");
            let _ = writeln!(std::io::stderr(), "{told}");
            let help = "help: the run goes on, and `kyo log last --json` has all of them";
            let _ = writeln!(std::io::stderr(), "{help}");
        }
    }
}

impl Observer for Lines {
    fn see(&mut self, event: &Event) {
        if !matches!(event, Event::NodeNoted { .. }) {
            self.written(talk::json(event));
        }
    }

    fn again(&mut self, lines: &[u8], _totals: &Totals) {
        let mut out = std::io::stdout().lock();
        let result = out.write_all(lines).and_then(|()| out.flush());
        drop(out);
        self.written(result);
    }
}
