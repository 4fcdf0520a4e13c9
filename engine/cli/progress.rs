//! Progress on a terminal: one bar for the whole, one line for each stage that runs. Elsewhere: a
//! line for each stage that ends.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kyobashi_engine::run::{Event, FinalState, Finished, Observer, Totals};
use kyobashi_stage::Note;

use crate::arguments::Global;
use crate::talk;

/// Running stages that get a line of their own.
const LINES: usize = 12;

/// Draws or prints.
pub(crate) struct Progress {
    global: Global,
    bars: Option<Bars>,
    totals: Totals,
    known: u64,
}

struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    running: BTreeMap<String, Running>,
}

/// The line of a stage that runs.
struct Running {
    bar: ProgressBar,
    /// What it was trained to so far: the losses that it told.
    losses: Vec<f64>,
}

impl Progress {
    /// Bars where they can be drawn.
    pub(crate) fn new(global: &Global) -> Self {
        let bars = talk::bars(global).then(|| {
            let all = MultiProgress::new();
            let whole = all.add(ProgressBar::new(0));
            whole.set_style(style(
                "[{elapsed_precise}] {bar:30} {pos}/{len} stages  {msg}",
            ));
            whole.enable_steady_tick(Duration::from_millis(200));
            Bars {
                all,
                whole,
                running: BTreeMap::new(),
            }
        });
        Self {
            global: global.clone(),
            bars,
            totals: Totals::default(),
            known: 0,
        }
    }

    fn started(&mut self, address: &str, uses: &str, things: &BTreeMap<String, Vec<String>>) {
        let Some(bars) = &mut self.bars else { return };
        if bars.running.len() >= LINES {
            return;
        }
        let bar = bars.all.add(ProgressBar::new_spinner());
        bar.set_style(style("  {spinner} {prefix}  {msg}"));
        bar.set_prefix(address.to_owned());
        let things = things.iter();
        let things = things.map(|(pool, names)| format!("  {pool} {}", names.join(", ")));
        bar.set_message(format!("{uses}{}", things.collect::<String>()));
        bar.enable_steady_tick(Duration::from_millis(120));
        let losses = Vec::new();
        bars.running
            .insert(address.to_owned(), Running { bar, losses });
    }

    fn noted(&mut self, address: &str, note: &Note) {
        let bars = self.bars.as_mut();
        if let Some(Running { bar, losses }) = bars.and_then(|bars| bars.running.get_mut(address)) {
            if let (Some(step), Some(total)) = (note.step, note.total) {
                if bar.length() != Some(total) {
                    bar.set_style(style("  {spinner} {prefix}  {bar:20} {pos}/{len}  {msg}"));
                    bar.set_length(total);
                }
                bar.set_position(step);
            }
            losses.extend(note.values.get("loss"));
            bar.set_message(format!("{}{}", sparkline(losses), said(note)));
        }
        if let Some(message) = &note.message {
            tracing::info!("{address}: {message}");
        }
    }

    fn finished(&mut self, finished: &Finished) {
        self.totals.count(finished);
        let line = line(finished);
        match &mut self.bars {
            Some(bars) => {
                if let Some(running) = bars.running.remove(&finished.address) {
                    running.bar.finish_and_clear();
                }
                bars.count(&self.totals, self.known);
                if finished.state == FinalState::Failed {
                    // The line is for people; the journal has it as well.
                    let _ = bars.all.println(line);
                }
            }
            None if finished.state == FinalState::Reused => {}
            None => talk::say(&self.global, &line),
        }
    }
}

impl Bars {
    fn count(&self, totals: &Totals, known: u64) {
        let done = totals.ran + totals.reused + totals.failed + totals.skipped;
        self.whole.set_length(known.max(done));
        self.whole.set_position(done);
        self.whole.set_message(counts(totals));
    }
}

impl Observer for Progress {
    fn again(&mut self, _lines: &[u8], totals: &Totals) {
        self.totals = totals.clone();
        if let Some(bars) = &self.bars {
            bars.count(totals, self.known);
        }
    }

    fn see(&mut self, event: &Event) {
        match event {
            Event::RunStarted { known, .. } | Event::Grown { known } => self.known = *known,
            Event::NodeStarted {
                address,
                uses,
                things,
            } => self.started(address, uses, things),
            Event::NodeNoted { address, note } => self.noted(address, note),
            Event::NodeRetried {
                address,
                failure,
                attempt,
            } => {
                let first = failure.message.lines().next().unwrap_or_default();
                let first = talk::plain(first, 400);
                let line = format!("again    {address}  after try {attempt}: {first}");
                match &self.bars {
                    Some(bars) => drop(bars.all.println(line)),
                    None => talk::say(&self.global, &line),
                }
            }
            Event::NodeFinished(finished) => self.finished(finished),
            Event::BudgetReached { .. }
            | Event::Called { .. }
            | Event::MadeFrom(_)
            | Event::OutputsMade { .. } => {}
            Event::RunFinished(_) => {
                if let Some(bars) = &self.bars {
                    bars.whole.finish_and_clear();
                }
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is a constant")
        .progress_chars("█▉▊▋▌▍▎▏ ")
}

fn line(finished: &Finished) -> String {
    let address = &finished.address;
    match finished.state {
        FinalState::Ran => format!("done     {address}  {}", talk::duration(finished.seconds)),
        FinalState::Reused => format!("reused   {address}"),
        FinalState::Skipped => {
            format!("skipped  {address}  {}", because(finished))
        }
        FinalState::Failed => {
            let failure = finished.failure.as_ref();
            let message = failure
                .map(|failure| failure.message.as_str())
                .unwrap_or_default();
            let first = message.lines().next().unwrap_or_default();
            format!("FAILED   {address}  {}", talk::plain(first, 400))
        }
    }
}

/// Why a stage run was skipped.
pub(crate) fn because(skipped: &Finished) -> String {
    match skipped.because.as_deref() {
        Some("when") => "by its `when`".to_owned(),
        because => format!("because of {}", because.unwrap_or_default()),
    }
}

/// A curve in a few signs, from its least to its greatest value: how it went since the start.
fn sparkline(values: &[f64]) -> String {
    const SIGNS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const WIDTH: usize = 16;
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if finite.len() < 2 {
        return String::new();
    }
    let columns = finite.len().min(WIDTH);
    let means: Vec<f64> = (0..columns)
        .map(|column| {
            let from = column * finite.len() / columns;
            let part = &finite[from..(column + 1) * finite.len() / columns];
            part.iter().sum::<f64>() / part.len() as f64
        })
        .collect();
    let least = means.iter().copied().fold(f64::INFINITY, f64::min);
    let most = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sign = |mean: &f64| {
        let share = if most > least {
            (mean - least) / (most - least)
        } else {
            0.0
        };
        SIGNS[((share * 7.0).round() as usize).min(7)]
    };
    means.iter().map(sign).chain("  ".chars()).collect()
}

fn said(note: &Note) -> String {
    let mut parts: Vec<String> = note
        .values
        .iter()
        .map(|(name, value)| format!("{name} {value:.4}"))
        .collect();
    if let Some(eta) = note.eta {
        parts.push(format!("{} left", talk::duration(eta)));
    }
    parts.extend(note.message.clone());
    parts.join("  ")
}

/// `ran 3, reused 8, failed 0`, with what was paid.
pub(crate) fn counts(totals: &Totals) -> String {
    let mut text = format!("reused {}, ran {}", totals.reused, totals.ran);
    for (count, word) in [(totals.failed, "failed"), (totals.skipped, "skipped")] {
        if count > 0 {
            text.push_str(&format!(", {word} {count}"));
        }
    }
    text.push_str(&format!(", {}", talk::money(totals.usd)));
    text
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn a_falling_loss_is_a_falling_line_and_little_is_nothing() {
        assert_eq!(
            sparkline(&[8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]),
            "█▇▆▅▄▃▂▁  "
        );
        assert_eq!(sparkline(&[1.0]), "");
        assert_eq!(sparkline(&[f64::NAN, 2.0, f64::INFINITY]), "");
        let long: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(
            sparkline(&long).chars().count(),
            18,
            "sixteen signs and a gap"
        );
        assert_eq!(sparkline(&[3.0, 3.0]), "▁▁  ");
    }
}
