//! The run journal: every event but progress, one JSON line each, in `runs/N/events.jsonl`. A line also
//! has `t`, the seconds since the run began.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use kyobashi_cache::Runs;
use kyobashi_engine::run::{Durations, Event, Observer, Totals};
use serde::Deserialize;

/// Writes the journal.
pub(crate) struct Journal {
    file: BufWriter<File>,
    begun: Instant,
    flushed: Instant,
    /// The event that is being written.
    line: Vec<u8>,
}

/// The part of a line that is not of the event.
#[derive(serde::Deserialize)]
struct When {
    #[serde(default)]
    t: Option<f64>,
}

impl Journal {
    /// A journal that appends to `file`.
    pub(crate) fn new(file: File) -> Self {
        Self {
            file: BufWriter::with_capacity(1 << 16, file),
            begun: Instant::now(),
            flushed: Instant::now(),
            line: Vec::new(),
        }
    }

    /// Seconds since the run began, to the millisecond.
    fn now(&self) -> f64 {
        (self.begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
    }

    /// Writes the event as a line, with `t` before its own fields.
    fn write(&mut self, t: f64) -> std::io::Result<()> {
        self.file.write_all(b"{\"t\":")?;
        serde_json::to_writer(&mut self.file, &t)?;
        self.file.write_all(b",")?;
        self.file
            .write_all(self.line.get(1..).unwrap_or_default())?;
        self.file.write_all(b"\n")
    }
}

impl Observer for Journal {
    fn see(&mut self, event: &Event) {
        if matches!(event, Event::NodeNoted { .. }) {
            return;
        }
        let t = self.now();
        self.line.clear();
        serde_json::to_writer(&mut self.line, event).expect("events are JSON");
        let end = matches!(event, Event::RunFinished(_));
        let mut written = self.write(t);
        if end || self.flushed.elapsed() > Duration::from_millis(500) {
            written = written.and_then(|()| self.file.flush());
            self.flushed = Instant::now();
        }
        if let Err(error) = written {
            // A journal that cannot be written does not stop the run.
            tracing::warn!("the run journal cannot be written: {error}");
        }
    }

    fn again(&mut self, lines: &[u8], _totals: &Totals) {
        let t = serde_json::json!(self.now());
        let begin = format!("{{\"t\":{t},");
        let mut written = lines_of(lines).map(|line| {
            self.file.write_all(begin.as_bytes())?;
            self.file.write_all(line.get(1..).unwrap_or_default())
        });
        if let Err(error) = written.try_for_each(|written| written) {
            tracing::warn!("the run journal cannot be written: {error}");
        }
    }
}

/// The lines of a text that was written as lines of JSON, each with its end.
pub(crate) fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    // As text, which is searched many bytes at a time.
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.split_inclusive('\n').map(str::as_bytes)
}

/// How many of the newest runs are asked what stage runs took.
const RECENT: usize = 5;

/// What a line of a journal says of the time that a stage run took.
#[derive(Deserialize)]
struct Took<'l> {
    event: &'l str,
    #[serde(default)]
    address: Cow<'l, str>,
    #[serde(default)]
    state: &'l str,
    #[serde(default)]
    seconds: f64,
    #[serde(default)]
    saved_seconds: f64,
}

/// What stage runs took the last time they ended well, by address.
pub(crate) fn durations(runs: &Runs) -> Durations {
    let mut durations = Durations::new();
    let numbers = runs.list().unwrap_or_default();
    for number in numbers.into_iter().rev().take(RECENT) {
        let text = std::fs::read_to_string(runs.events(number)).unwrap_or_default();
        for line in text.lines() {
            let Ok(took) = serde_json::from_str::<Took<'_>>(line) else {
                continue;
            };
            let seconds = match (took.event, took.state) {
                ("node_finished", "ran") => took.seconds,
                ("node_finished", "reused") => took.saved_seconds,
                _ => continue,
            };
            durations
                .entry(took.address.into_owned())
                .or_insert(seconds);
        }
    }
    durations
}

/// The events of a journal; those that a newer program has added are left out.
pub(crate) fn events(path: &Path) -> impl Iterator<Item = Event> + use<> {
    lines(path).filter_map(|line| serde_json::from_str(&line).ok())
}

/// The events of a journal, each with the seconds since the run began, where it has them.
pub(crate) fn timed(path: &Path) -> Vec<(Option<f64>, Event)> {
    let read = |line: String| {
        let when: When = serde_json::from_str(&line).ok()?;
        Some((when.t, serde_json::from_str(&line).ok()?))
    };
    lines(path).filter_map(read).collect()
}

/// The first event of a journal: how the run began.
pub(crate) fn first(path: &Path) -> Option<Event> {
    serde_json::from_str(&lines(path).next()?).ok()
}

/// The lines of a journal as they are.
pub(crate) fn lines(path: &Path) -> impl Iterator<Item = String> + use<> {
    let file = File::open(path).ok().map(BufReader::new);
    file.into_iter()
        .flat_map(|file| file.lines().map_while(Result::ok))
}
