//! The config of a training: the harness's settings by name, and the numbers that are the program's.
//! The full list with its defaults is the reference page `docs/programs.md`.

use std::collections::BTreeMap;

use kyobashi_stage::Failure;
use serde_json::{Map, Value};

use crate::program::Program;

/// How the rate falls after warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    Constant,
    Cosine,
}

/// Which update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Optimizer {
    AdamW,
    Adam,
    Sgd,
}

/// How rows are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sampling {
    /// Every row once an epoch, in an order drawn anew.
    Epochs,
    /// Rows drawn with replacement.
    Replacement,
}

/// The settings of the harness.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) steps: u64,
    pub(crate) batch: u64,
    pub(crate) sampling: Sampling,
    pub(crate) validation: f64,
    /// Numbers that a row of a sequence has before the one after it; zero: rows are rows.
    pub(crate) window: u64,
    pub(crate) optimizer: Optimizer,
    pub(crate) lr: f64,
    pub(crate) schedule: Schedule,
    pub(crate) lr_floor: f64,
    pub(crate) warmup: u64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) epsilon: f64,
    pub(crate) momentum: f64,
    pub(crate) weight_decay: f64,
    pub(crate) clip: f64,
    pub(crate) ema_decay: f64,
    pub(crate) ema_every: u64,
    pub(crate) ema_after: u64,
    pub(crate) ema_power: f64,
    pub(crate) eval_batch: u64,
    pub(crate) eval_every: u64,
    pub(crate) eval_batches: u64,
    pub(crate) eval_train_batches: u64,
    pub(crate) goal_above: f64,
    pub(crate) samples: u64,
    pub(crate) kl_neighbours: u64,
    pub(crate) log_every: u64,
    pub(crate) max_seconds: f64,
    /// Seeds that are trained as one.
    pub(crate) stack: u64,
    pub(crate) device: String,
    /// The metric that `goal_above` is about; empty = none.
    pub(crate) goal: String,
    /// Everything in the config that is a number, for `cfg`; facts of the data join it.
    pub(crate) numbers: BTreeMap<String, f64>,
    /// Keys that neither the harness nor the program reads; a variant may leave some of its template's
    /// unread, and a misspelt one should be seen.
    pub(crate) unread: Vec<String>,
}

impl Settings {
    /// Reads a config. Settings that it leaves out have their defaults.
    ///
    /// # Errors
    /// A value of the wrong kind or range.
    pub(crate) fn read(config: &Value, program: &Program) -> Result<Self, Failure> {
        let empty = Map::new();
        let map = match config {
            Value::Object(map) => map,
            Value::Null => &empty,
            other => {
                return Err(Failure::new(format!(
                    "`config` is an object, not `{other}`"
                )));
            }
        };
        let mut reader = Reader {
            map,
            known: Vec::new(),
        };
        let settings = Self {
            numbers: numbers(map),
            ..Self::take(&mut reader)?
        };
        if settings.stack > MOST_SEEDS {
            return Err(Failure::new(format!(
                "`stack` of `config` is at most {MOST_SEEDS} seeds, not {}",
                settings.stack
            )));
        }
        let known = reader.known;
        let of_network = |key: &str| {
            let mut networks = program.networks();
            networks.any(|(name, _)| key == format!("lr_{name}") || key == format!("every_{name}"))
        };
        let unread: Vec<String> = map
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .filter(|key| !program.mentions(key) && !of_network(key))
            .cloned()
            .collect();
        for key in &unread {
            misspelt(key, &map[key], &known)?;
        }
        Ok(Self { unread, ..settings })
    }

    /// The harness's own settings.
    fn take(reader: &mut Reader) -> Result<Self, Failure> {
        Ok(Self {
            steps: reader.count("steps", 1000, 1)?,
            batch: reader.count("batch", 256, 1)?,
            sampling: reader.word(
                "sampling",
                &[
                    ("epochs", Sampling::Epochs),
                    ("replacement", Sampling::Replacement),
                ],
            )?,
            validation: reader.number("validation", 0.0, 0.0, 0.99)?,
            window: reader.count("window", 0, 0)?,
            optimizer: reader.word(
                "optimizer",
                &[
                    ("adamw", Optimizer::AdamW),
                    ("adam", Optimizer::Adam),
                    ("sgd", Optimizer::Sgd),
                ],
            )?,
            lr: reader.number("lr", 0.001, 0.0, f64::MAX)?,
            schedule: reader.word(
                "schedule",
                &[
                    ("constant", Schedule::Constant),
                    ("cosine", Schedule::Cosine),
                ],
            )?,
            lr_floor: reader.number("lr_floor", 0.0, 0.0, 1.0)?,
            warmup: reader.count("warmup", 0, 0)?,
            beta1: reader.number("beta1", 0.9, 0.0, 1.0)?,
            beta2: reader.number("beta2", 0.999, 0.0, 1.0)?,
            epsilon: reader.number("epsilon", 1e-8, 0.0, 1.0)?,
            momentum: reader.number("momentum", 0.0, 0.0, 1.0)?,
            weight_decay: reader.number("weight_decay", 0.01, 0.0, f64::MAX)?,
            clip: reader.number("clip", 0.0, 0.0, f64::MAX)?,
            ema_decay: reader.number("ema_decay", 0.0, 0.0, 1.0)?,
            ema_every: reader.count("ema_every", 1, 1)?,
            ema_after: reader.count("ema_after", 0, 0)?,
            ema_power: reader.number("ema_power", 2.0 / 3.0, 0.0, 100.0)?,
            eval_batch: reader.count("eval_batch", 1024, 1)?,
            eval_every: reader.count("eval_every", 0, 0)?,
            eval_batches: reader.count("eval_batches", 0, 0)?,
            eval_train_batches: reader.count("eval_train_batches", 0, 0)?,
            goal_above: reader.number("goal_above", 0.0, f64::MIN, f64::MAX)?,
            samples: reader.count("samples", 1000, 1)?,
            kl_neighbours: reader.count("kl_neighbours", 5, 1)?,
            log_every: reader.count("log_every", 50, 1)?,
            max_seconds: reader.number("max_seconds", 7200.0, 0.0, 1e9)?,
            stack: reader.count("stack", 1, 1)?,
            device: reader.text("device", "auto")?,
            goal: reader.text("goal", "")?,
            numbers: BTreeMap::new(),
            unread: Vec::new(),
        })
    }
}

/// Every seed of a stack is trained, asked for or not: more are a slip.
const MOST_SEEDS: u64 = 1024;

/// How alike a key that nothing reads and a setting may be: `optimiser`, `max_second`, `kl_neighbors`.
const ALIKE: f64 = 0.85;

/// Refuses a key that nothing reads and that can only be meant for the harness: one that is spelt nearly
/// as a setting, or that is no number, since programs get numbers alone.
fn misspelt(key: &str, value: &Value, known: &[&'static str]) -> Result<(), Failure> {
    let nearest = known
        .iter()
        .map(|name| (strsim::normalized_levenshtein(key, name), name))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(alike, _)| *alike >= ALIKE);
    let failure = Failure::new(format!("`config` has no setting `{key}`"));
    match nearest {
        Some((_, name)) => Err(failure.help(format!("did you mean `{name}`?"))),
        None if value.is_number() || value.is_boolean() => Ok(()),
        None => Err(failure.help("a program's own settings are numbers, or true and false")),
    }
}

/// The numbers of a config; true and false count as 1 and 0.
fn numbers(map: &Map<String, Value>) -> BTreeMap<String, f64> {
    map.iter()
        .filter_map(|(key, value)| {
            let number = value
                .as_f64()
                .or(value.as_bool().map(|b| if b { 1.0 } else { 0.0 }))?;
            Some((key.clone(), number))
        })
        .collect()
}

/// Takes settings out of a config and remembers which it was asked for.
struct Reader<'c> {
    map: &'c Map<String, Value>,
    known: Vec<&'static str>,
}

impl Reader<'_> {
    fn number(&mut self, key: &'static str, or: f64, min: f64, max: f64) -> Result<f64, Failure> {
        self.known.push(key);
        let Some(value) = self.map.get(key) else {
            return Ok(or);
        };
        value
            .as_f64()
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| {
                let range = if max >= f64::MAX {
                    format!("of at least {min}")
                } else {
                    format!("between {min} and {max}")
                };
                Failure::new(format!(
                    "`{key}` of `config` is a number {range}, not `{value}`"
                ))
            })
    }

    fn count(&mut self, key: &'static str, or: u64, min: u64) -> Result<u64, Failure> {
        self.known.push(key);
        let Some(value) = self.map.get(key) else {
            return Ok(or);
        };
        // A whole number that came through arithmetic is still a whole number: 1000.0.
        let whole = value.as_u64().or_else(|| {
            let number = value.as_f64()?;
            (number >= 0.0 && number.fract() == 0.0 && number < 9e15).then_some(number as u64)
        });
        whole.filter(|number| *number >= min).ok_or_else(|| {
            Failure::new(format!(
                "`{key}` of `config` is a whole number of at least {min}, not `{value}`"
            ))
        })
    }

    fn text(&mut self, key: &'static str, or: &str) -> Result<String, Failure> {
        self.known.push(key);
        match self.map.get(key) {
            None => Ok(or.to_owned()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(Failure::new(format!(
                "`{key}` of `config` is a text, not `{other}`"
            ))),
        }
    }

    /// One of the words; the first is the default.
    fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Result<T, Failure> {
        let given = self.text(key, words[0].0)?;
        words
            .iter()
            .find(|(word, _)| *word == given)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Failure::new(format!(
                    "`{key}` of `config` is one of {}, not `{given}`",
                    known.join(", ")
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_on_programs_lists_every_setting() {
        let page = include_str!("../../../../docs/programs.md");
        let empty = Map::new();
        let mut reader = Reader {
            map: &empty,
            known: Vec::new(),
        };
        Settings::take(&mut reader).unwrap();
        for key in reader.known {
            assert!(page.contains(&format!("`{key}`")), "{key}");
        }
    }
}
