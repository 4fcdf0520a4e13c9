//! Results in the forms in which numbers are looked up: as they are, as means over one name, and as
//! changes between two runs; with how often a number would match by chance.

use std::collections::BTreeMap;

use super::super::review::Way;
use super::context::Names;
use super::counts::Counts;
use super::fit::{Fit, cells, explained, factorial, fit, same, sizes, slack};
use super::keyed::Keyed;
use super::results::{Results, Value, Weight};
use super::spreads::is_spread;
use super::token::{Number, Share};

/// Two results that differ in the run alone.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether `from` is the baseline.
    pub(super) based: bool,
}

/// Everything that numbers are looked up in.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) results: Results,
    pub(super) names: Names,
    /// Indices of `results.values` by value.
    sorted: Vec<usize>,
    /// Results and their means, between which there are changes.
    pub(super) base: Vec<Value>,
    /// Where the means begin in `base`.
    pub(super) means: usize,
    pub(super) pairs: Vec<Pair>,
    /// The values of settings, each once.
    distinct: Vec<f64>,
    pub(super) keyed: Keyed,
    pub(super) counts: Counts,
    /// Whether settings were given at all.
    pub(super) has_settings: bool,
}

/// A value that a number agrees with.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) index: usize,
    pub(super) fit: Fit,
    pub(super) scale: f64,
}

/// More pairs than this are not made.
const MOST_PAIRS: usize = 200_000;

impl Evidence {
    pub(super) fn of(mut results: Results) -> Self {
        let has_settings = !results.settings.is_empty();
        let own = std::mem::take(&mut results.own);
        results.settings.extend(own);
        let names = Names::of(&results);
        let mut sorted: Vec<usize> = (0..results.values.len()).collect();
        sorted.sort_by(|a, b| {
            results.values[*a]
                .value
                .total_cmp(&results.values[*b].value)
        });
        let measured = |value: &&Value| {
            let summary = value.weight == Weight::Computed
                && (value.source.contains("(mean of") || value.source.contains("(last of"));
            (value.weight == Weight::Result || summary) && !is_spread(value)
        };
        let mut base: Vec<Value> = results.values.iter().filter(measured).cloned().collect();
        let means = base.len();
        base.extend(self::means(&base, &names));
        let pairs = pairs(&base, &names);
        let mut distinct: Vec<f64> = results
            .settings
            .iter()
            .map(|(value, _)| *value)
            .filter(|value| *value > 0.0)
            .collect();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        distinct.truncate(400);
        let keyed = Keyed::of(&results.settings);
        let mut counts = Counts::of(&results, &keyed);
        counts.names = names.most();
        Self {
            counts,
            keyed,
            results,
            names,
            sorted,
            base,
            means,
            pairs,
            distinct,
            has_settings,
        }
    }

    /// The values that a number agrees with under one of `scales`, with what is asked of them.
    pub(super) fn hits(&self, number: &Number, scales: &[f64]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for scale in scales {
            let slack = slack(number) / scale;
            let wanted = number.value / scale;
            for index in self.between(wanted - slack, wanted + slack) {
                if let Some(fit) = fit(self.results.values[index].value * scale, number) {
                    hits.push(Hit {
                        index,
                        fit,
                        scale: *scale,
                    });
                }
            }
        }
        hits
    }

    fn between(&self, low: f64, high: f64) -> impl Iterator<Item = usize> {
        let from = self
            .sorted
            .partition_point(|index| self.results.values[*index].value < low);
        let to = self
            .sorted
            .partition_point(|index| self.results.values[*index].value <= high);
        self.sorted[from..to.max(from)].iter().copied()
    }

    /// Whether a number with a minus is a measured value below zero, not a change.
    pub(super) fn negative(&self, number: &Number) -> bool {
        let scales = [1.0, 100.0].into_iter().take(match number.share {
            Share::Percent => 2,
            _ => 1,
        });
        let scales: Vec<f64> = scales.collect();
        number.value < 0.0
            && number.figures >= 2
            && self
                .hits(number, &scales)
                .iter()
                .any(|hit| self.results.values[hit.index].weight < Weight::Point)
    }

    /// The share of all numbers like this one that agree with one of the values that `counts`.
    pub(super) fn chance(
        &self,
        number: &Number,
        scales: &[f64],
        counts: &dyn Fn(&Value) -> bool,
    ) -> f64 {
        let size = number.value.abs();
        let sign = if number.value < 0.0 { -1.0 } else { 1.0 };
        let mut steps = std::collections::BTreeSet::new();
        let cells = cells(number);
        for scale in scales {
            let far = if size == 0.0 {
                number.step * 100.0
            } else {
                size * 2.0
            };
            let (a, b) = (sign * size / 2.0 / scale, sign * far / scale);
            for index in self.between(a.min(b), a.max(b)) {
                let value = &self.results.values[index];
                if counts(value) {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "numbers of the same size as the printed one"
                    )]
                    steps.insert((value.value * scale / number.step).round() as i64);
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = steps.len() as f64 / cells;
        share.min(1.0)
    }

    /// A setting of this value, or how it follows from settings.
    pub(super) fn setting(&self, number: &Number) -> Option<&(f64, String)> {
        let values = match number.share {
            Share::Percent => vec![number.value / 100.0, number.value],
            _ => vec![number.value],
        };
        values.into_iter().find_map(|value| {
            self.results
                .settings
                .iter()
                .find(|(known, _)| same(*known, value))
        })
    }

    /// How a number follows from two settings, or one: `97 · 97`, `5!`, `0.0003 / 2`.
    pub(super) fn reckoned(&self, number: &Number, near: &str) -> Option<String> {
        let rest = [
            "split", "train", "test", "valid", "remain", "rest", "held", "fraction", "keep",
        ]
        .iter()
        .any(|word| near.contains(word));
        if number.share != Share::None
            || number.figures == 0
            || (number.whole && number.value.abs() < 12.0)
        {
            return None;
        }
        let wanted = number.value;
        let values = &self.distinct;
        let round = |value: f64| {
            if value.fract() == 0.0 && value < 1e15 {
                format!("{value:.0}")
            } else {
                format!("{value}")
            }
        };
        for a in values {
            let whole = a.fract() == 0.0 && *a >= 10.0;
            let ways: [(&str, f64); 3] = if number.whole && whole {
                [
                    ("n·(n − 1)", a * (a - 1.0)),
                    ("n²", a * a),
                    ("n!", factorial(*a)),
                ]
            } else if number.whole {
                // 24 is too common to be told from 4!.
                let product = Some(factorial(*a)).filter(|product| *product >= 100.0);
                [
                    ("n!", product.unwrap_or(f64::NAN)),
                    ("", f64::NAN),
                    ("", f64::NAN),
                ]
            } else {
                let told = |stems: [&str; 2]| stems.iter().any(|stem| near.contains(stem));
                let only = |is: bool, value: f64| if is { value } else { f64::NAN };
                [
                    // Rates are halved in code.
                    (
                        "n / 2",
                        only(told(["half", "halv"]) || wanted < 1e-3, a / 2.0),
                    ),
                    ("2·n", only(told(["twice", "doubl"]), a * 2.0)),
                    ("1 − n", only(rest, 1.0 - a)),
                ]
            };
            if let Some((way, _)) = ways.into_iter().find(|(_, value)| same(*value, wanted)) {
                return Some(format!("{way} of the setting {}", round(*a)));
            }
        }
        let large: Vec<&f64> = values
            .iter()
            .filter(|value| value.fract() == 0.0 && **value >= 10.0)
            .collect();
        for (index, a) in large.iter().enumerate().filter(|_| number.whole) {
            if let Some(b) = large[index..].iter().find(|b| same(**a * ***b, wanted)) {
                return Some(format!("{} · {} of settings", round(**a), round(**b)));
            }
        }
        None
    }
}

/// Means over each name that is not the run and not the metric.
fn means(base: &[Value], names: &Names) -> Vec<Value> {
    let mut out = Vec::new();
    let deepest = base
        .iter()
        .map(|value| value.names.len())
        .max()
        .unwrap_or(0)
        .min(12);
    for depth in (0..deepest).filter(|depth| !names.is_run(*depth)) {
        let mut groups: BTreeMap<Vec<&str>, Vec<&Value>> = BTreeMap::new();
        for value in base.iter().filter(|value| depth + 1 < value.names.len()) {
            let mut key: Vec<&str> = value.names.iter().map(String::as_str).collect();
            key[depth] = "*";
            groups.entry(key).or_default().push(value);
        }
        let mut parts: Vec<(Vec<String>, Vec<&Value>)> = Vec::new();
        for (key, group) in groups {
            let key: Vec<String> = key.into_iter().map(str::to_owned).collect();
            parts.extend(alike(&key, &group, depth));
            parts.push((key, group));
        }
        for (key, group) in parts.into_iter().filter(|(_, group)| group.len() > 1) {
            #[expect(clippy::cast_precision_loss, reason = "a group has few members")]
            let mean = group.iter().map(|value| value.value).sum::<f64>() / group.len() as f64;
            let first = &group[0].source;
            out.push(Value {
                value: mean,
                names: key,
                source: format!("mean of {} values, first {first}", group.len()),
                weight: Weight::Computed,
            });
        }
    }
    out
}

/// Parts of a group whose names begin alike: `x_plus_y` and `x_minus_y`, not `permutation`.
fn alike<'v>(
    key: &[String],
    group: &[&'v Value],
    depth: usize,
) -> Vec<(Vec<String>, Vec<&'v Value>)> {
    let mut found: BTreeMap<&str, Vec<&'v Value>> = BTreeMap::new();
    for value in group {
        let head = value.names[depth].split(['_', '-', ' ']).next();
        found
            .entry(head.unwrap_or_default())
            .or_default()
            .push(value);
    }
    let parts = found
        .into_iter()
        .filter(|(_, part)| part.len() > 2 && part.len() < group.len());
    let named = parts.map(|(head, part)| {
        let mut key = key.to_vec();
        key[depth] = format!("{head}_*");
        (key, part)
    });
    named.collect()
}

/// Whether two results differ in one name at most, as what is compared does, and not in what was measured;
/// rows of one column in none.
fn differs_once(a: &[String], b: &[String]) -> bool {
    let measure = |name: &String| super::words::better(std::slice::from_ref(name)).is_some();
    let mut apart = a.iter().zip(b).filter(|(a, b)| a != b);
    let first = apart.next();
    let compared = first.is_none_or(|(a, b)| !measure(a) && !measure(b));
    a.len() == b.len() && apart.next().is_none() && compared
}

fn pairs(base: &[Value], names: &Names) -> Vec<Pair> {
    let mut groups: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
    const FEW: usize = 40;
    for (index, value) in base.iter().enumerate() {
        let mut key: Vec<&str> = value.names.iter().map(String::as_str).collect();
        match names.run {
            Some(run) if run < key.len() => key[run] = "*",
            Some(_) => {}
            // Without runs everything that measures the same is compared; a few values all with all.
            None if base.len() <= FEW => key.clear(),
            None => key = key.pop().into_iter().collect(),
        }
        groups.entry(key).or_default().push(index);
    }
    let mut out = Vec::new();
    for group in groups.into_values() {
        let few = group.len() <= FEW;
        for from in &group {
            let based = names.is_baseline(&base[*from]);
            for to in group.iter().filter(|to| *to != from && (few || based)) {
                if names.run.is_none() && !differs_once(&base[*from].names, &base[*to].names) {
                    continue;
                }
                if out.len() >= MOST_PAIRS {
                    return out;
                }
                out.push(Pair {
                    from: *from,
                    to: *to,
                    based,
                });
            }
        }
    }
    out
}

impl Evidence {
    /// The sizes of a pair's change as text may tell them, with the way each is computed.
    pub(super) fn sizes(&self, pair: &Pair, share: Share, speed: bool) -> Vec<(f64, &'static str)> {
        let (a, b) = (&self.base[pair.from], &self.base[pair.to]);
        let mut sizes = sizes(a.value, b.value, share, speed);
        // Points of a percentage are for what is a percentage.
        if share == Share::Percent && super::words::better(&b.names) != Some(Way::Higher) {
            sizes.retain(|(_, how)| *how != "difference");
        }
        // A loss is never told in points.
        if share == Share::Points && b.names.iter().any(|name| name.contains("loss")) {
            sizes.clear();
        }
        sizes
    }

    /// The share of numbers like this one that some pair would explain.
    pub(super) fn chance_of_change(
        &self,
        number: &Number,
        speed: bool,
        counts: &dyn Fn(&Pair) -> bool,
    ) -> f64 {
        let pairs = self.pairs.iter().filter(|pair| counts(pair));
        let sizes = pairs.flat_map(|pair| self.sizes(pair, number.share, speed));
        explained(number, sizes.map(|(found, _)| found))
    }
}
