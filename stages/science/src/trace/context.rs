//! Which results a text speaks of: the names that lead to results, found in words. A name is a folder,
//! a data set or a metric, whatever stands at that depth of the results.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::aliases::Alias;
use super::named::Homes;
pub(super) use super::named::Named;
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
    /// Names that stand nowhere but where measures do.
    pub(super) pure: BTreeSet<String>,
    homes: Arc<Homes>,
    /// What the paper calls them.
    pub(super) aliases: Vec<Alias>,
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
        let measures: BTreeSet<String> = measures.collect();
        let inner: BTreeSet<&String> = results
            .values
            .iter()
            .filter(|value| value.weight <= Weight::Computed)
            .flat_map(|value| &value.names[..metric_depth(value)])
            .collect();
        let pure = measures.iter().filter(|name| !inner.contains(name));
        Self {
            depths,
            run,
            pure: pure.cloned().collect(),
            measures,
            homes: Arc::new(Homes::of(
                results
                    .values
                    .iter()
                    .filter(|value| value.weight <= Weight::Point),
            )),
            aliases: Vec::new(),
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
        let numbered = super::positions::plain(text);
        let initials = super::stems::initials(text);
        let mut out = Named {
            homes: Some(Arc::clone(&self.homes)),
            ..Named::default()
        };
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
                if let Some((number, own)) = super::positions::numbered(name) {
                    let told = super::positions::spoken(&numbered, number, &own)
                        || follows(&words, &entry.stems);
                    if told {
                        full.push((entry.stems.len(), name));
                    }
                    continue;
                }
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
                let alike = !entry.run
                    && entry.joined.len() > 2
                    && (whole.contains(&entry.joined) || initials.contains(&entry.joined));
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
            let kept: BTreeSet<String> = kept.map(|(_, name)| (*name).clone()).collect();
            let within = full.iter().map(|(_, name)| (*name).clone());
            let within: Vec<String> = within
                .filter(|name| !kept.contains(name) && self.measures.contains(name))
                .collect();
            let full = kept;
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
            out.partly.push(partly.chain(within).collect());
            out.half.push(
                if best >= 0.5 && out.full.last().is_some_and(BTreeSet::is_empty) {
                    out.partly.last().cloned().unwrap_or_default()
                } else {
                    BTreeSet::new()
                },
            );
        }
        for alias in self
            .aliases
            .iter()
            .filter(|alias| follows(&words, &alias.stems))
        {
            // Files name the same things at different depths.
            for (depth, names) in self.depths.iter().enumerate() {
                if depth == alias.depth || names.contains_key(&alias.name) {
                    out.full[depth].insert(alias.name.clone());
                    out.half[depth].clear();
                }
            }
        }
        out
    }

    /// The runs that a text describes by words of their titles that no other title has: `with a deeper
    /// denoiser` is the run `Sampling with a 5-layer denoiser`. Those with most such words.
    pub(super) fn described(&self, text: &str) -> BTreeSet<String> {
        let words: BTreeSet<String> = stems(text).into_iter().collect();
        let Some(runs) = self.run.and_then(|run| self.depths.get(run)) else {
            return BTreeSet::new();
        };
        let holds =
            |entry: &Name, stem: &String| entry.titles.iter().any(|title| title.contains(stem));
        let own = |entry: &Name| {
            let titled: BTreeSet<&String> = entry.titles.iter().flatten().collect();
            let told = titled
                .into_iter()
                .filter(|stem| stem.len() > 3 && words.contains(*stem));
            told.filter(|stem| runs.values().filter(|other| holds(other, stem)).count() == 1)
                .count()
        };
        let counts: Vec<(usize, &String)> = runs
            .iter()
            .filter(|(name, _)| !is_baseline(name))
            .map(|(name, entry)| (own(entry), name))
            .collect();
        let most = counts.iter().map(|(count, _)| *count).max().unwrap_or(0);
        let best = counts
            .into_iter()
            .filter(|(count, _)| *count == most && most > 0);
        best.map(|(_, name)| name.clone()).collect()
    }

    /// The one name that a text names at one depth, apart from runs and measures.
    pub(super) fn only(&self, text: &str) -> Option<(usize, String)> {
        let named = self.named(text);
        let mut all = named
            .full
            .iter()
            .enumerate()
            .flat_map(|(depth, names)| names.iter().map(move |name| (depth, name.clone())));
        let first = all.next()?;
        let one =
            all.next().is_none() && !self.is_run(first.0) && !super::aliases::measure(&first.1);
        one.then_some(first)
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

    /// Whether runs are numbered, `run_1`, and told in too many ways to speak against anything.
    pub(super) fn nameless(&self, depth: usize) -> bool {
        let names = self.depths.get(depth);
        self.is_run(depth) && names.is_some_and(|names| names.values().any(|name| name.run))
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
    /// The most names at one depth, apart from those of runs and measures.
    pub(super) fn most(&self) -> usize {
        let depths = self.depths.iter().enumerate();
        let others = depths.filter(|(depth, _)| !self.is_run(*depth));
        let counts = others.map(|(_, names)| {
            let plain = names.keys().filter(|name| !self.pure.contains(*name));
            let spread = |name: &&String| {
                ["std", "95 %", "stderr"]
                    .iter()
                    .any(|head| name.starts_with(head))
                    || super::spreads::ENDS.contains(&name.as_str())
            };
            // Places of curves and lines of tables are no things of their own.
            let placed = |name: &&String| super::positions::numbered(name).is_some();
            plain.filter(|name| !spread(name) && !placed(name)).count()
        });
        counts.max().unwrap_or(0)
    }

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

pub(super) fn is_baseline(name: &str) -> bool {
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
    if made || end {
        last.saturating_sub(1)
    } else {
        last
    }
}
