//! From a reference in a draft to a number with its record. It does not know how a paper is typeset.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use crate::draft::mask::{Macro, Use, usage};
use crate::draft::place::Problem;
use crate::numbers::calc::Expression;
use crate::numbers::format::Format;
use crate::numbers::lookup::{find, nearest};
use crate::numbers::measure::{Measure, measure};
use crate::numbers::record::{Input, Kind, Number, digest};

/// The numbers of one paper, in the order in which they are shown.
#[derive(Debug)]
pub(crate) struct Resolver<'r> {
    results: &'r Value,
    digests: BTreeMap<String, String>,
    rows: BTreeMap<(Kind, String, String), usize>,
    pub(crate) numbers: Vec<Number>,
}

/// A value found under a reference.
struct Referred {
    measure: Measure,
    input: Input,
}

/// Why a reference has no number, before its place is known.
struct Refusal {
    message: String,
    help: Option<String>,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self {
            message,
            help: None,
        }
    }
}

impl<'r> Resolver<'r> {
    pub(crate) fn new(results: &'r Value) -> Self {
        Self {
            results,
            digests: BTreeMap::new(),
            rows: BTreeMap::new(),
            numbers: Vec::new(),
        }
    }

    /// Resolves one use of a macro that stands at `at` of the draft; the index of its number.
    ///
    /// # Errors
    /// The problem at its place, with the nearest name.
    pub(crate) fn number(
        &mut self,
        asked: &Use,
        at: Range<usize>,
        place: (usize, usize),
    ) -> Result<usize, Problem> {
        let number = match asked.name {
            Macro::Val => self.val(&asked.args, Kind::Val),
            Macro::Cfg => self.val(&asked.args, Kind::Cfg),
            Macro::Calc => self.calc(&asked.args),
            Macro::Change => self.change(&asked.args),
            Macro::Unknown => Err(Refusal::from("`\\unknown` has no number".to_owned())),
        };
        let mut number = number.map_err(|refusal| Problem {
            at,
            message: refusal.message,
            help: refusal.help,
        })?;
        (number.line, number.col) = place;
        let next = self.rows.len() + 1;
        let key = (number.kind, number.reference.clone(), number.shown.clone());
        number.row = *self.rows.entry(key).or_insert(next);
        self.numbers.push(number);
        Ok(self.numbers.len() - 1)
    }

    fn val(&mut self, args: &[String], kind: Kind) -> Result<Number, Refusal> {
        let found = self.look(&args[0], kind)?;
        let format = match args.get(1).filter(|format| !format.is_empty()) {
            None if kind == Kind::Cfg => Format::exact(),
            written => read_format(written)?,
        };
        let measure = found.measure;
        let shown = match &measure.value {
            Value::Number(value) => {
                let show = |value: f64| format.show(value);
                let mut shown = show(value.as_f64().unwrap_or(f64::NAN));
                if measure.whole {
                    if let Some([low, high]) = measure.ci {
                        shown.push_str(&format!(" [{}, {}]", show(low), show(high)));
                    }
                    if let Some(n) = measure.n {
                        shown.push_str(&format!(", n = {n}"));
                    }
                }
                shown
            }
            _ if args.get(1).is_some_and(|format| !format.is_empty()) => {
                return Err(Refusal::from(format!(
                    "`{}` is not a number, so it takes no format",
                    args[0]
                )));
            }
            Value::String(word) => word.clone(),
            other => other.to_string(),
        };
        Ok(Number {
            kind,
            reference: found.input.reference,
            shown,
            value: measure.value,
            unit: measure.unit,
            ci: measure.ci,
            n: measure.n,
            document: found.input.document,
            digest: found.input.digest,
            why: None,
            inputs: Vec::new(),
            line: 0,
            col: 0,
            page: None,
            row: 0,
        })
    }

    fn calc(&mut self, args: &[String]) -> Result<Number, Refusal> {
        let expression = Expression::read(&args[0]).map_err(|message| Refusal {
            message: format!("`{}`: {message}", args[0]),
            help: Some(
                "an expression is made of references, + - * / ( ), min, max and abs".to_owned(),
            ),
        })?;
        if expression.references().is_empty() {
            return Err(Refusal {
                message: format!("`{}` is computed from no reference", args[0]),
                help: Some(usage("calc")),
            });
        }
        let format = read_format(args.get(2))?;
        let mut inputs = Vec::new();
        let mut runs = Vec::new();
        let value = expression.value(&mut |path| {
            let found = self.quantity(path)?;
            let value = found.input.value;
            runs.push(found.measure.n);
            inputs.push(found.input);
            Ok::<f64, Refusal>(value)
        })?;
        let why = args.get(1).filter(|why| !why.is_empty()).cloned();
        Ok(derived(
            Kind::Calc,
            args[0].clone(),
            format.show(value),
            value,
            inputs,
            &runs,
            why,
        ))
    }

    fn change(&mut self, args: &[String]) -> Result<Number, Refusal> {
        let (from, to) = (self.quantity(&args[0])?, self.quantity(&args[1])?);
        let format = match args.get(2).filter(|format| !format.is_empty()) {
            Some(format) => read_format(Some(format))?,
            None => Format::percent(),
        };
        let (a, b) = (from.input.value, to.input.value);
        let value = match format.is_percent() {
            false => b - a,
            true if a == 0.0 => {
                return Err(Refusal {
                    message: format!("`{}` is 0, so there is no relative change", args[0]),
                    help: Some(
                        r"give a format for the difference, as in `\change{a}{b}{.3}`".to_owned(),
                    ),
                });
            }
            true => (b - a) / a.abs(),
        };
        let shown = if value == 0.0 {
            "unchanged".to_owned()
        } else {
            let word = if value < 0.0 { "lower" } else { "higher" };
            format!("{} {word}", format.show(value.abs()))
        };
        let runs = [from.measure.n, to.measure.n];
        Ok(derived(
            Kind::Change,
            format!("{} -> {}", from.input.reference, to.input.reference),
            shown,
            value,
            vec![from.input, to.input],
            &runs,
            None,
        ))
    }

    /// A reference that must lead to a number.
    fn quantity(&mut self, path: &str) -> Result<Referred, Refusal> {
        let mut found = self.look(path, Kind::Val)?;
        match found.measure.value.as_f64() {
            Some(value) => found.input.value = value,
            None => return Err(Refusal::from(format!("`{path}` is not a number"))),
        }
        Ok(found)
    }

    fn look(&mut self, path: &str, kind: Kind) -> Result<Referred, Refusal> {
        let short = format!("config.{path}");
        let (reference, found) = match find(self.results, path) {
            Some(found) => (path, found),
            None if kind == Kind::Cfg => match find(self.results, &short) {
                Some(found) => (short.as_str(), found),
                None => return Err(self.missing(&short, path)),
            },
            None => return Err(self.missing(path, path)),
        };
        let (name, found) = found;
        let measure =
            measure(found).map_err(|message| Refusal::from(format!("`{reference}` {message}")))?;
        let document = &self.results[name];
        let digest = self
            .digests
            .entry(name.to_owned())
            .or_insert_with(|| digest(document))
            .clone();
        Ok(Referred {
            input: Input {
                reference: reference.to_owned(),
                value: measure.value.as_f64().unwrap_or(0.0),
                document: name.to_owned(),
                digest,
            },
            measure,
        })
    }

    fn missing(&self, wanted: &str, written: &str) -> Refusal {
        let known: Vec<&str> = self
            .results
            .as_object()
            .map(|object| object.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let help = match (nearest(self.results, wanted), known.is_empty()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, true) => "no results were given".to_owned(),
            (None, false) => format!("the documents are {}", known.join(", ")),
        };
        Refusal {
            message: format!("`{written}` is not in the results"),
            help: Some(help),
        }
    }
}

fn read_format(text: Option<&String>) -> Result<Format, Refusal> {
    let text = text.map_or("", String::as_str);
    Format::read(text).map_err(|help| Refusal {
        message: format!("unknown format `{text}`"),
        help: Some(help),
    })
}

fn derived(
    kind: Kind,
    reference: String,
    shown: String,
    value: f64,
    inputs: Vec<Input>,
    runs: &[Option<u64>],
    why: Option<String>,
) -> Number {
    let first = inputs.first();
    Number {
        kind,
        reference,
        shown,
        value: Value::from(value),
        unit: None,
        ci: None,
        // A derived number rests on no more runs than its weakest input, if all say how many.
        n: runs
            .iter()
            .copied()
            .collect::<Option<Vec<u64>>>()
            .and_then(|runs| runs.into_iter().min()),
        document: first
            .map(|input| input.document.clone())
            .unwrap_or_default(),
        digest: first.map(|input| input.digest.clone()).unwrap_or_default(),
        why,
        inputs,
        line: 0,
        col: 0,
        page: None,
        row: 0,
    }
}
