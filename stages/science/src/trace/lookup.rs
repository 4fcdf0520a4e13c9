//! Whether a number is a measured value: the results that agree with it and with the words around it.
//! Few digits agree with anything, so the fewer there are, the more the words must say.

use std::collections::BTreeSet;

use super::context::Named;
use super::entry::{Base, Class, Finding, Verdict};
use super::evidence::{Evidence, Hit};
use super::fit::{fit, same};
use super::results::{Value, Weight};
use super::scales;
use super::spreads::{is_end, is_spread, kin, kin_of};
use super::strength::{counts_things, how, too_weak};
use super::token::{Number, Share};

/// What is known of the place of a number.
pub(super) struct Asked<'a> {
    pub(super) number: &'a Number,
    /// Names that results must agree with.
    pub(super) strict: &'a Named,
    /// Names that speak for results.
    pub(super) near: &'a Named,
    /// Names that belong to this number and to no other of its sentence; in a table those of `strict`.
    pub(super) bound: &'a Named,
    /// Which depths of `strict` matter for values with so many names.
    pub(super) matters: &'a dyn Fn(&Value, usize) -> bool,
    /// The words that may say what is measured: the sentence, or the row and column.
    pub(super) around: &'a str,
    /// Words about units: a column's head, the words that follow.
    pub(super) units: &'a str,
    /// Whether it is about a mean over several results.
    pub(super) averaged: bool,
    pub(super) cell: bool,
    /// What the value before a `±` was traced to.
    pub(super) of: Option<&'a Base>,
    /// Whether the words speak of single repetitions, so that one of them is meant and not their mean.
    pub(super) single: bool,
}

/// Whether words speak of single repetitions or of extremes.
pub(super) fn single(text: &str) -> bool {
    let low = text.to_lowercase();
    [
        "seed",
        "individual",
        "each run",
        "fold",
        "maximum",
        "minimum",
        "highest",
        "lowest",
        "ranging",
        "ranges",
        "max",
        "min",
        "repetition",
        "trial",
    ]
    .iter()
    .any(|word| low.contains(word))
}

impl Evidence {
    /// The result that a number shows, or what speaks against every result that it equals.
    pub(super) fn look(&self, asked: &Asked<'_>) -> Result<Finding, Option<String>> {
        let number = asked.number;
        let mut scales = scales::usual(number, asked.units);
        if number.share == Share::None
            && number.figures >= 3
            && number.value > 1.5
            && number.value <= 100.0
            && asked.cell
        {
            // Accuracies are often shown as percentages without saying so.
            scales.push(100.0);
        }
        let told = asked.cell && asked.around.contains('%');
        if told && number.share == Share::None && !scales.contains(&100.0) {
            scales.push(100.0);
        }
        // `9.7k` where a file counts in thousands.
        if (1e3..1e6).contains(&number.value) && number.step >= 100.0 {
            scales.push(1e3);
        }
        // `11.2M` where a file counts in millions: `parameters_m: 11.2`.
        if number.value >= 1e6 && number.figures >= 2 {
            scales.push(if number.value >= 1e9 { 1e9 } else { 1e6 });
        }
        let of = asked.of.filter(|_| number.spread || number.bracketed);
        if let Some(of) = of.filter(|of| of.scale != 1.0) {
            scales.push(of.scale);
        }
        let unit = scales::of_number(number, asked.units, asked.cell);
        let plain = scales.clone();
        for factor in unit.into_iter().flat_map(scales::factors) {
            if !scales.iter().any(|scale| same(*scale, factor)) {
                scales.push(factor);
            }
        }
        let added = |scale: f64| !plain.iter().any(|own| same(*own, scale));
        let values = &self.results.values;
        let median = asked.around.to_lowercase().contains("median");
        let extreme =
            |value: &Value| value.source.contains("(max of") || value.source.contains("(min of");
        let interval = number.bracketed || super::spreads::spoken(asked.around);
        let counts = |value: &Value| {
            is_spread(value) == number.spread
                && (interval || !is_end(value))
                && (median || !value.source.contains("(median of"))
                && (!asked.cell || asked.single || !extreme(value))
                && asked
                    .strict
                    .against(value, &|depth| (asked.matters)(value, depth))
                    .is_none()
        };
        let hits = self.hits(number, &scales);
        // `28 listeners` are no 27.9 hours.
        let things = number.whole && number.figures <= 2 && !asked.cell && counts_things(asked);
        let possible = |hit: &Hit| {
            let value = &values[hit.index];
            let fraction = value.value.abs() <= 1.0 || hit.scale != 100.0;
            let single = value.weight != Weight::Member || asked.single;
            fraction
                && single
                && scales::agree(value, hit.scale, unit, added(hit.scale))
                && (value.weight != Weight::Note || number.figures >= 3)
                && (!things || value.value.fract() == 0.0)
        };
        let (fitting, other): (Vec<Hit>, Vec<Hit>) = hits
            .into_iter()
            .partition(|hit| possible(hit) && counts(&values[hit.index]));
        // A spread beside a traced mean is the spread of that mean.
        if let Some(of) = of {
            let kin = |hit: &&Hit| kin(&values[hit.index].names, &of.names);
            let end = |hit: &&Hit| number.spread || is_end(&values[hit.index]);
            let near = other.iter().filter(|hit| possible(hit) && !number.spread);
            if let Some(hit) = fitting.iter().chain(near).filter(end).find(kin) {
                let value = &values[hit.index];
                let kind = if number.spread {
                    "the spread"
                } else {
                    "an end of the interval"
                };
                let why = format!("{}, {kind} of the value before it", value.value);
                let mut finding =
                    Finding::new(Class::Result, Verdict::Traced, why).from(value.source.clone());
                // The other end stands behind this one.
                finding.base = is_end(value).then(|| of.clone());
                return Ok(finding);
            }
            let beside = |value: &Value| match number.spread {
                true => is_spread(value),
                false => is_end(value),
            };
            let known = |value: &&Value| beside(value) && kin_of(value, of);
            // What stands in brackets may be anything but a wrong end of the interval that is known.
            let alone = number.bracketed && !fitting.is_empty() && !number.spread;
            if let Some(other) = values.iter().find(known).filter(|_| !alone) {
                let kind = if number.spread { "spread" } else { "interval" };
                return Err(Some(format!(
                    "the value before it has the {kind} {}",
                    other.source
                )));
            }
        }
        // Notes repeat the results: what the files speak against, the notes do not bear.
        let refuted = other
            .iter()
            .any(|hit| values[hit.index].weight < Weight::Note);
        let fitting: Vec<Hit> = fitting
            .into_iter()
            .filter(|hit| values[hit.index].weight != Weight::Note || !refuted)
            .collect();
        // Of the many points of a curve one is meant only where its place is told.
        let placed = |value: &Value| {
            value.names.iter().enumerate().any(|(depth, name)| {
                let full = asked.near.full.get(depth);
                super::positions::numbered(name).is_some()
                    && full.is_some_and(|full| full.contains(name))
            })
        };
        let point = |hit: &Hit| {
            let value = &values[hit.index];
            value.weight == Weight::Point && !placed(value)
        };
        let some = fitting.iter().any(|hit| !point(hit));
        let fitting: Vec<Hit> = fitting
            .into_iter()
            .filter(|hit| !(some && point(hit)))
            .collect();
        // A text that speaks of a mean may mean it, though some result is equal by chance.
        if asked.averaged && !asked.cell && number.figures >= 3 && !number.spread {
            let near = |hit: &Hit| asked.near.support(&values[hit.index]);
            let most = fitting.iter().map(near).max().unwrap_or(0);
            if let Some(finding) = self.mean(asked, &scales).filter(|finding| {
                let support = finding
                    .base
                    .as_ref()
                    .map_or(0, |base| asked.near.told(&base.names));
                support >= most && finding.chance.is_some_and(|chance| chance <= 0.1)
            }) {
                return Ok(finding);
            }
        }
        let best = fitting.iter().max_by_key(|hit| {
            let value = &values[hit.index];
            (
                asked.near.support(value),
                std::cmp::Reverse(hit.fit),
                std::cmp::Reverse(value.weight),
                std::cmp::Reverse(hit.index),
            )
        });
        if let Some(hit) = best {
            let value = &values[hit.index];
            let support = asked.near.support(value);
            let plain = |value: &Value| counts(value) && value.weight <= values[hit.index].weight;
            let mut chance = self.chance(number, &scales, &plain);
            if support > 0 && chance > 0.02 {
                let like = |value: &Value| plain(value) && asked.near.support(value) >= support;
                chance = chance.min(self.chance(number, &scales, &like));
            }
            // A fraction told in per cent is a leap; where another measure is named, it needs the digits.
            let metric = super::context::metric_depth(value);
            let another = hit.scale == 100.0
                && number.share == Share::Percent
                && asked.strict.another(metric, value)
                && !asked.near.tells(metric, value);
            if another && chance > 0.02 {
                return Err(Some(format!(
                    "equals {}, but the words around it name {}",
                    value.source,
                    asked.strict.at(metric)
                )));
            }
            if value.weight == Weight::Point && !placed(value) && chance > 0.03 {
                return Err(Some(format!("equals {}, one of many points", value.source)));
            }
            if let Some(weak) = too_weak(number, support, chance, hit.fit) {
                return Err(Some(format!("equals {}, but {weak}", value.source)));
            }
            let mut finding = Finding::new(
                Class::Result,
                Verdict::Traced,
                how(hit, value, number, chance),
            )
            .from(value.source.clone())
            .chance(chance);
            // Notes stand in no run.
            let filed = fitting
                .iter()
                .map(|hit| &values[hit.index])
                .filter(|value| value.weight != Weight::Note);
            let fits: BTreeSet<Vec<String>> = filed.map(|value| value.names.clone()).collect();
            let run = |names: &Vec<String>| names.get(self.names.run?).cloned();
            let runs: BTreeSet<String> = fits.iter().filter_map(run).collect();
            finding.base = Some(Base {
                names: value.names.clone(),
                runs: runs.into_iter().collect(),
                fits: fits.into_iter().collect(),
                scale: hit.scale,
            });
            return Ok(if value.weight == Weight::Note {
                finding.warning()
            } else {
                finding
            });
        }
        if let Some(finding) = self.mean(asked, &scales).or_else(|| self.rest(asked)) {
            return Ok(finding);
        }
        let likely: Vec<&Hit> = other.iter().filter(|hit| possible(hit)).collect();
        if let Some(finding) = self.others_named(asked, &likely, &scales) {
            return Ok(finding);
        }
        Err(other.first().map(|hit| {
            let value = &values[hit.index];
            if is_spread(value) != number.spread {
                let kind = if number.spread {
                    "is no spread"
                } else {
                    "is a spread"
                };
                return format!("equals {}, which {kind}", value.source);
            }
            let named = asked
                .strict
                .against(value, &|depth| (asked.matters)(value, depth));
            let named = named
                .map(|depth| asked.strict.at(depth))
                .unwrap_or_default();
            format!(
                "equals {}, but the words around it name {named}",
                value.source
            )
        }))
    }

    /// A value that only words which belong to other numbers of the sentence speak against, if the digits are
    /// enough: `86.4 million parameters into a student of 5.2 million`.
    fn others_named(&self, asked: &Asked<'_>, hits: &[&Hit], scales: &[f64]) -> Option<Finding> {
        let number = asked.number;
        if asked.cell || number.spread || number.about || number.figures < 2 {
            return None;
        }
        let values = &self.results.values;
        let counts = |value: &Value| {
            let matters = |depth: usize| (asked.matters)(value, depth);
            !is_spread(value)
                && !is_end(value)
                && value.weight < Weight::Member
                && asked.bound.against(value, &matters).is_none()
                && !asked.bound.halves_against(value)
        };
        let fitting = hits.iter().filter(|hit| counts(&values[hit.index]));
        let best = fitting.max_by_key(|hit| {
            let value = &values[hit.index];
            (
                asked.near.support(value),
                std::cmp::Reverse(hit.fit),
                std::cmp::Reverse(hit.index),
            )
        })?;
        let value = &values[best.index];
        let support = asked.near.support(value);
        let like = |value: &Value| counts(value) && asked.near.support(value) >= support;
        let chance = self.chance(number, scales, &like);
        #[expect(clippy::cast_precision_loss, reason = "a handful of names")]
        let enough = match number.figures {
            0..=2 => support >= 2 && chance <= 0.05,
            _ => chance <= 0.005 || chance <= (0.03 * support as f64).min(0.06),
        };
        enough.then(|| {
            let why = format!(
                "{}; what else the sentence names stands with other numbers",
                how(best, value, number, chance)
            );
            let mut finding = Finding::new(Class::Result, Verdict::Traced, why)
                .from(value.source.clone())
                .chance(chance);
            finding.base = Some(Base {
                names: value.names.clone(),
                runs: Vec::new(),
                fits: Vec::new(),
                scale: best.scale,
            });
            finding
        })
    }

    /// A mean over data sets, where the text speaks of one.
    fn mean(&self, asked: &Asked<'_>, scales: &[f64]) -> Option<Finding> {
        // A text that goes on about means may not say so again; then the digits have to.
        if !asked.averaged && (asked.cell || asked.number.figures < 4) {
            return None;
        }
        let number = asked.number;
        let mut found: Vec<(usize, &Value)> = Vec::new();
        for value in &self.base[self.means..] {
            let fits = scales
                .iter()
                .any(|scale| fit(value.value * scale, number).is_some());
            let matters = |depth: usize| (asked.matters)(value, depth);
            if fits && (asked.averaged || asked.strict.against(value, &matters).is_none()) {
                found.push((asked.near.support(value), value));
            }
        }
        let (support, value) = found.into_iter().max_by_key(|(support, _)| *support)?;
        if number.figures < 3 && support < 2 {
            return None;
        }
        let shown = self.base[self.means..].iter();
        let all = shown.flat_map(|value| scales.iter().map(|scale| value.value * scale));
        let chance = super::fit::explained(number, all);
        if !asked.averaged && (support < 2 || chance > 0.03) {
            return None;
        }
        let mut finding = Finding::new(
            Class::Derived,
            Verdict::Derived,
            format!("the {}", value.source),
        )
        .from(value.source.clone())
        .chance(chance);
        finding.base = Some(Base {
            names: value.names.clone(),
            runs: Vec::new(),
            fits: Vec::new(),
            scale: 1.0,
        });
        Some(finding)
    }
}
