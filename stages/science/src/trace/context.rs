//! Which results a text speaks of: the names that lead to results, found in words. A name is a folder,
//! a data set or a metric, whatever stands at that depth of the results.

use std::collections::{BTreeMap, BTreeSet};

use super::results::{Results, Value, Weight};
use super::stems::{EMPTY, deed, stems};

/// A name at one depth.
#[derive(Debug)]
struct Name {
    stems: Vec<String>,
    /// Its letters and digits in one word.
    joined: String,
    /// Whether it names a run: these are told in too many ways to contradict anything.
    run: bool,
    /// What the notes call it.
    titles: Vec<Vec<String>>,
}

/// All names of a folder of results.
#[derive(Debug)]
pub(super) struct Names {
    /// Per depth.
    depths: Vec<BTreeMap<String, Name>>,
    /// The depth of the runs, if there is one.
    pub(super) run: Option<usize>,
    /// Names of what was measured, at whatever depth they stand.
    pub(super) measures: BTreeSet<String>,
}

/// The names that a text holds, per depth.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub(super) full: Vec<BTreeSet<String>>,
    pub(super) partly: Vec<BTreeSet<String>>,
    /// Per depth, names told at least by half where none is told in full.
    pub(super) half: Vec<BTreeSet<String>>,
    /// Whether names told in part count as named.
    lenient: bool,
}

/// More different names than this at one depth are data, not names.
const MOST: usize = 400;

/// The letters and digits of a word in small letters: `CIFAR-10` and `cifar10` are one name.
fn joined(word: &str) -> String {
    let letters = word.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

impl Names {
    pub(super) fn of(results: &Results) -> Self {
        let mut depths: Vec<BTreeMap<String, Name>> = Vec::new();
        for value in results
            .values
            .iter()
            .filter(|value| value.weight <= Weight::Point)
        {
            for (depth, name) in value.names.iter().enumerate() {
                if depths.len() <= depth {
                    depths.resize_with(depth + 1, BTreeMap::new);
                }
                if name != "*"
                    && !super::repeated::numbered(name)
                    && !depths[depth].contains_key(name)
                    && depths[depth].len() < MOST
                {
                    depths[depth].insert(name.clone(), entry(name, results));
                }
            }
        }
        let run = depths
            .iter()
            .position(|names| names.len() > 1 && names.values().any(|name| name.run));
        let folders = || {
            depths
                .iter()
                .position(|names| names.keys().any(|name| is_baseline(name)))
        };
        let run = run.or_else(folders);
        let all = results
            .values
            .iter()
            .filter(|value| value.weight <= Weight::Computed);
        let measures = all.filter_map(|value| value.names.get(metric_depth(value)).cloned());
        Self {
            depths,
            run,
            measures: measures.collect(),
        }
    }

    /// The names that a text holds. Of nested names (`loss`, `val loss`) the longest counts.
    pub(super) fn named(&self, text: &str) -> Named {
        let words = stems(text);
        if words.is_empty() {
            return Named::default();
        }
        let set: BTreeSet<&str> = words.iter().map(String::as_str).collect();
        let deeds: BTreeSet<&str> = words.iter().filter_map(|word| deed(word)).collect();
        let whole: BTreeSet<String> = text
            .split([' ', '\u{a0}', '/', ',', '(', ')'])
            .map(joined)
            .collect();
        let mut out = Named::default();
        for names in &self.depths {
            let mut full: Vec<(usize, &String)> = Vec::new();
            let mut partly: Vec<(f64, &String)> = Vec::new();
            for (name, entry) in names.iter().filter(|_| names.len() > 1) {
                let count = entry
                    .stems
                    .iter()
                    .filter(|stem| {
                        let same = |deed| deeds.contains(deed);
                        set.contains(stem.as_str()) || deed(stem).is_some_and(same)
                    })
                    .count();
                let run = entry.run && follows(&words, &entry.stems);
                let titled = entry.titles.iter().any(|title| {
                    words == *title
                        || (title.len() == 1 && words.first() == title.first() && words.len() == 1)
                });
                let baseline = is_baseline(name) && set.contains("baseline");
                if baseline && words.len() > 2 {
                    partly.push((1.0, name));
                    continue;
                }
                let alike = !entry.run && entry.joined.len() > 2 && whole.contains(&entry.joined);
                if run
                    || alike
                    || titled
                    || baseline
                    || (!entry.run && !entry.stems.is_empty() && count == entry.stems.len())
                {
                    full.push((entry.stems.len(), name));
                } else if count > 0 && !entry.run {
                    #[expect(clippy::cast_precision_loss, reason = "a name has few words")]
                    partly.push((count as f64 / entry.stems.len() as f64, name));
                }
            }
            let longest = full.iter().map(|(length, _)| *length).max().unwrap_or(0);
            // A shorter name counts beside a longer one only if it shares no word with it.
            let kept = full.iter().filter(|(length, name)| {
                *length == longest
                    || full
                        .iter()
                        .filter(|(other, _)| other > length)
                        .all(|(_, other)| {
                            let longer = &names[*other].stems;
                            names[*name].stems.iter().all(|stem| !longer.contains(stem))
                        })
            });
            let full: BTreeSet<String> = kept.map(|(_, name)| (*name).clone()).collect();
            let best = partly.iter().map(|(score, _)| *score).fold(0.0, f64::max);
            let partly = partly
                .iter()
                .filter(|(score, _)| *score >= best.max(0.3))
                .map(|(_, name)| (*name).clone());
            out.full.push(if full.len() == names.len() {
                BTreeSet::new()
            } else {
                full
            });
            out.partly.push(partly.collect());
            out.half.push(
                if best >= 0.5 && out.full.last().is_some_and(BTreeSet::is_empty) {
                    out.partly.last().cloned().unwrap_or_default()
                } else {
                    BTreeSet::new()
                },
            );
        }
        out
    }

    /// Whether a text names something else than a run.
    pub(super) fn tells(&self, text: &str) -> bool {
        let named = self.named(text);
        let told = |sets: &[BTreeSet<String>]| {
            sets.iter()
                .enumerate()
                .any(|(depth, names)| !self.is_run(depth) && !names.is_empty())
        };
        told(&named.full) || told(&named.half)
    }

    /// Whether a name at a depth names a run.
    pub(super) fn is_run(&self, depth: usize) -> bool {
        self.run == Some(depth)
    }

    pub(super) fn is_baseline(&self, value: &Value) -> bool {
        self.run
            .and_then(|run| value.names.get(run))
            .is_some_and(|name| is_baseline(name))
    }
}

impl Names {
    /// Whether the name of a run says that it is the baseline.
    pub(super) fn calls_baseline(&self, run: &str) -> bool {
        is_baseline(run)
    }

    /// Whether some run is known to be the baseline.
    pub(super) fn has_baseline(&self) -> bool {
        let runs = self.run.and_then(|run| self.depths.get(run));
        runs.is_some_and(|runs| runs.keys().any(|name| is_baseline(name)))
    }
}

fn is_baseline(name: &str) -> bool {
    let low = name.to_lowercase();
    low == "run_0"
        || low == "run0"
        || ["baseline", "control", "vanilla"]
            .iter()
            .any(|word| low.contains(word))
}

/// Whether the words hold `stems` one after the other.
fn follows(words: &[String], stems: &[String]) -> bool {
    !stems.is_empty() && words.windows(stems.len()).any(|window| window == stems)
}

fn entry(name: &str, results: &Results) -> Name {
    let low = name.to_lowercase();
    let number = low
        .strip_prefix("run")
        .or_else(|| low.strip_prefix("exp"))
        .or_else(|| low.strip_prefix("trial"));
    let run = number.is_some_and(|rest| {
        let rest = rest.trim_start_matches(['_', '-', ' ']);
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    let all = stems(name);
    let counted = low
        .split_once(' ')
        .is_some_and(|(number, _)| number.parse::<u64>().is_ok());
    let told: Vec<String> = all
        .iter()
        .filter(|stem| {
            run || counted || (!EMPTY.contains(&stem.as_str()) && stem.chars().count() > 1)
        })
        .cloned()
        .collect();
    let titles = results
        .titles
        .iter()
        .filter(|(known, _)| *known == low)
        .map(|(_, title)| stems(title))
        .collect();
    Name {
        stems: told,
        joined: joined(name),
        run,
        titles,
    }
}

impl Named {
    /// Names of both; where this says nothing at a depth, those of the other count.
    pub(super) fn or(mut self, other: &Self) -> Self {
        if self.full.is_empty() {
            return other.clone();
        }
        for (mine, theirs) in self.full.iter_mut().zip(&other.full) {
            if mine.is_empty() {
                mine.clone_from(theirs);
            }
        }
        for (mine, theirs) in self.partly.iter_mut().zip(&other.partly) {
            mine.extend(theirs.iter().cloned());
        }
        self
    }

    /// How well a value fits: two for each name told in full, one for each told in part.
    pub(super) fn support(&self, value: &Value) -> usize {
        value
            .names
            .iter()
            .enumerate()
            .map(|(depth, name)| {
                if self
                    .full
                    .get(depth)
                    .is_some_and(|names| names.contains(name))
                {
                    2
                } else {
                    usize::from(
                        self.partly
                            .get(depth)
                            .is_some_and(|names| names.contains(name)),
                    )
                }
            })
            .sum()
    }

    /// The depth at which the text names something else than the value's name.
    pub(super) fn against(&self, value: &Value, matters: &dyn Fn(usize) -> bool) -> Option<usize> {
        let metric = metric_depth(value);
        (0..self.full.len()).find(|depth| {
            let name = value.names.get(*depth);
            let within = |names: &BTreeSet<String>| name.is_some_and(|name| names.contains(name));
            if !matters(*depth) {
                return false;
            }
            // Files name the same things at different depths.
            if value
                .names
                .iter()
                .any(|name| self.full[*depth].contains(name))
            {
                return false;
            }
            if !self.full[*depth].is_empty() {
                let partly = self.lenient && within(&self.partly[*depth]);
                return !(partly || within(&self.full[*depth]));
            }
            // A column `Inference speed` is not about losses, even if it names its metric in part.
            let half = self.half.get(*depth).filter(|names| !names.is_empty());
            !self.lenient && *depth == metric && half.is_some_and(|names| !within(names))
        })
    }

    /// Whether the text names the baseline, at the depth of the runs.
    pub(super) fn names_baseline(&self, run: usize) -> bool {
        let names = [self.full.get(run), self.partly.get(run)];
        names
            .into_iter()
            .flatten()
            .flatten()
            .any(|name| is_baseline(name))
    }

    /// Names told in part are named too.
    pub(super) fn lenient(self) -> Self {
        Self {
            lenient: true,
            ..self
        }
    }

    /// Names told by half count only at depths of which `other` tells nothing, not even in part: a head
    /// `Inference speed` is about speeds, also in a row `Multi-style`.
    pub(super) fn halves_of(mut self, other: &Self) -> Self {
        for (depth, mine) in self.half.iter_mut().enumerate() {
            if other
                .partly
                .get(depth)
                .is_some_and(|names| !names.is_empty())
            {
                *mine = other.half.get(depth).cloned().unwrap_or_default();
            }
        }
        self
    }

    /// The names told in full at a depth.
    pub(super) fn at(&self, depth: usize) -> String {
        let names = self.full.get(depth).into_iter().flatten();
        let all: Vec<&str> = names.map(String::as_str).collect();
        if all.is_empty() {
            let half = self.half.get(depth).into_iter().flatten();
            return half.map(String::as_str).collect::<Vec<_>>().join(", ");
        }
        all.join(", ")
    }
}

/// The depth of the name of what was measured.
pub(super) fn metric_depth(value: &Value) -> usize {
    let last = value.names.len().saturating_sub(1);
    let made = value
        .names
        .last()
        .is_some_and(|name| name.starts_with("std") || name.starts_with("95 %"));
    let end = value
        .names
        .last()
        .is_some_and(|name| super::spreads::ENDS.contains(&name.as_str()));
    if made || end { last.saturating_sub(1) } else { last }
}
