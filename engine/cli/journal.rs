//! The run journal: every event but progress, one JSON line each, in `runs/N/events.jsonl`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use kyobashi_engine::run::{Event, Finished, Observer};

/// Writes the journal.
pub(crate) struct Journal {
    file: BufWriter<File>,
    flushed: Instant,
}

impl Journal {
    /// A journal that appends to `file`.
    pub(crate) fn new(file: File) -> Self {
        Self {
            file: BufWriter::new(file),
            flushed: Instant::now(),
        }
    }
}

impl Observer for Journal {
    fn see(&mut self, event: &Event) {
        if matches!(event, Event::NodeNoted { .. }) {
            return;
        }
        let line = serde_json::to_string(event).expect("events are JSON");
        let end = matches!(event, Event::RunFinished(_));
        let mut written = writeln!(self.file, "{line}");
        if end || self.flushed.elapsed() > Duration::from_millis(500) {
            written = written.and_then(|()| self.file.flush());
            self.flushed = Instant::now();
        }
        if let Err(error) = written {
            // A journal that cannot be written does not stop the run.
            tracing::warn!("the run journal cannot be written: {error}");
        }
    }
}

/// The ended stage runs of a journal; a line cut off by a crash is left out.
pub(crate) fn finished(path: &Path) -> Vec<Finished> {
    events(path)
        .into_iter()
        .filter_map(|event| match event {
            Event::NodeFinished(finished) => Some(finished),
            _ => None,
        })
        .collect()
}

/// The events of a journal.
pub(crate) fn events(path: &Path) -> Vec<Event> {
    let Ok(file) = File::open(path) else {
        return Vec::new();
    };
    let lines = BufReader::new(file).lines().map_while(Result::ok);
    lines
        .filter_map(|line| serde_json::from_str(&line).ok())
        .collect()
}
