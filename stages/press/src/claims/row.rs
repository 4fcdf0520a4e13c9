//! The comparison that a sentence is about: found from the references in it.

use serde_json::Value;

use crate::claims::sentence::Sentence;
use crate::claims::word::Way;
use crate::numbers::format::Format;
use crate::numbers::lookup::find;
use crate::numbers::record::Number;

/// Runs on each side below which no interval bears a claim.
const ENOUGH: u64 = 3;

/// One compared metric at one place.
#[derive(Debug)]
pub(crate) struct Row<'r> {
    path: String,
    row: &'r Value,
}

/// The rows that the numbers of a sentence lead to, each once.
pub(crate) fn rows<'r>(
    sentence: &Sentence,
    numbers: &[Number],
    results: &'r Value,
) -> Vec<Row<'r>> {
    let mut out: Vec<Row<'r>> = Vec::new();
    for index in &sentence.numbers {
        let number = &numbers[*index];
        let own = std::iter::once(number.reference.as_str()).filter(|_| number.inputs.is_empty());
        let inputs = number.inputs.iter().map(|input| input.reference.as_str());
        for path in own.chain(inputs) {
            if let Some(row) = compared(path, results)
                && out.iter().all(|known| known.path != row.path)
            {
                out.push(row);
            }
        }
    }
    out
}

/// The comparison at the place of a path, whichever document the path leads into: `trial.by.circle.loss.mean`
/// is about `comparison.by.circle.loss`.
fn compared<'r>(path: &str, results: &'r Value) -> Option<Row<'r>> {
    let (_, rest) = path.split_once('.')?;
    for document in results.as_object()?.keys() {
        let mut place = rest;
        loop {
            let path = format!("{document}.{place}");
            if let Some((_, found)) = find(results, &path)
                && found.value.get("difference").is_some_and(Value::is_number)
            {
                return Some(Row {
                    path,
                    row: found.value,
                });
            }
            match place.rsplit_once('.') {
                Some((shorter, _)) => place = shorter,
                None => break,
            }
        }
    }
    None
}

impl Row<'_> {
    fn difference(&self) -> f64 {
        self.row["difference"].as_f64().unwrap_or(0.0)
    }

    fn ci(&self) -> Option<(f64, f64)> {
        Some((
            self.row["ci"].get(0)?.as_f64()?,
            self.row["ci"].get(1)?.as_f64()?,
        ))
    }

    fn runs(&self) -> (u64, u64) {
        let side = |name: &str| self.row[name]["n"].as_u64().unwrap_or(0);
        (side("baseline"), side("trial"))
    }

    /// Whether the row bears out that the trial went `way`.
    pub(crate) fn bears(&self, way: Way) -> bool {
        let (a, b) = self.runs();
        let clear = self.ci().is_some_and(|(low, high)| low > 0.0 || high < 0.0);
        let falls = self.difference() < 0.0;
        let right = match (way, self.row["direction"].as_str()) {
            (Way::Lower, _) => falls,
            (Way::Higher, _) => !falls,
            (Way::Better, Some("lower")) | (Way::Worse, Some("higher")) => falls,
            (Way::Better, Some("higher")) | (Way::Worse, Some("lower")) => !falls,
            (Way::Better | Way::Worse, _) => false,
            (Way::Moved, _) => true,
        };
        a.min(b) >= ENOUGH && clear && right
    }

    /// The values, for the writer.
    pub(crate) fn told(&self) -> String {
        let show = |value: f64| Format::default().show(value);
        let interval = match self.ci() {
            Some((low, high)) => format!("[{}, {}]", show(low), show(high)),
            None => "without an interval".to_owned(),
        };
        let (a, b) = self.runs();
        let direction = match self.row["direction"].as_str() {
            Some(direction) => format!("{direction} is better"),
            None => "no direction is declared".to_owned(),
        };
        format!(
            "`{}` differs by {} {interval}, n = {a} and {b}, {direction}",
            self.path,
            show(self.difference())
        )
    }
}
