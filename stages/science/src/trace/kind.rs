//! Which kind a number is of, and what that kind needs: a figure's number needs nothing, a setting must
//! be one, a result must be traced.

use super::around::Around;
use super::entry::{Base, Class, Finding};
use super::evidence::Evidence;
use super::keyed::Setting;
use super::lookup::Asked;
use super::plain::{Cell, Kind};
use super::strength::spoken;
use super::token::{Number, Share};
use super::words;

/// What is known of the place of a number beside its words.
pub(super) struct Place<'a> {
    pub(super) block: Kind,
    pub(super) section: &'a str,
    pub(super) formula: bool,
    /// Whether it begins its block, as the number of a list item does.
    pub(super) first: bool,
    /// Whether the paper elsewhere says that this value is a setting.
    pub(super) settled: bool,
    /// Whether it is the size of a change.
    pub(super) change: bool,
    /// What the value before a `±` was traced to.
    pub(super) of: Option<Base>,
}

/// Whole numbers up to this count the things just named.
pub(super) const SMALL: f64 = 12.0;

/// Whether a section is about how experiments were made.
pub(super) fn set_up(section: &str) -> bool {
    let low = words::headings(section);
    [
        "setup",
        "set-up",
        "setting",
        "method",
        "implementation",
        "training detail",
        "experimental",
        "hyperparameter",
        "dataset",
        "architecture",
        "background",
        "approach",
        "configuration",
    ]
    .iter()
    .any(|word| low.contains(word))
        && !["result", "analysis", "discussion", "ablation"]
            .iter()
            .any(|word| low.contains(word))
}

/// Quantities that a value right before or after these words is measured in.
const MEASURED: &str = "accuracy loss perplexity score divergence seconds second minutes hours ms milliseconds \
    speedup points f1 bleu fid auc error reward return latency throughput kl mse mae \
    correlation consistency time";

/// Whether a word is a quantity that is measured.
pub(super) fn measured(word: &str) -> bool {
    words::has(MEASURED, &word.to_lowercase())
}

/// Whether a word is a unit of its own, which says what its number measures.
pub(super) fn is_unit(word: &str) -> bool {
    [
        "second",
        "seconds",
        "s",
        "ms",
        "minutes",
        "hours",
        "epochs",
        "steps",
        "tokens",
        "samples",
        "points",
        "percent",
        "gb",
        "mb",
        "parameters",
        "iterations",
    ]
    .contains(&word)
}

/// Words of settings that are also said of what was not set.
const LOOSE: &str = "run trial gpu cell range repetition fold every point";

/// A number of the prose that is a setting, a result or a count.
pub(super) fn value(
    evidence: &Evidence,
    asked: &Asked<'_>,
    around: &Around<'_>,
    place: &Place<'_>,
) -> Finding {
    let number = asked.number;
    let word = words::setting(around.before, around.after);
    let set_up = set_up(place.section);
    let setting = evidence.setting(number);
    let settled = place.settled && number.share == Share::Percent;
    let told = word.is_some()
        || set_up
        || settled
        || (number.share == Share::Percent && evidence.keyed.says(number, around.after));
    let keyed = &evidence.keyed;
    let own = set_up || words::own(around.sentence);
    let noun = || keyed.against_noun(number, around.before, around.after);
    let counts = &evidence.counts;
    let miscounted = counts.against(number, around.before, around.after);
    if let Some(why) = miscounted.filter(|_| !place.change) {
        return Finding::untraced(Class::Structural, why).refuted();
    }
    let refuted = keyed
        .against(number, around.before)
        .or_else(|| noun().filter(|_| own));
    // `layers of 256 units` are 256 units.
    let unit = keyed.all.iter().any(|setting| {
        super::fit::same(setting.value, number.value) && setting.follows(around.after)
    });
    if let Some(why) = refuted.filter(|_| !place.change && !unit) {
        if number.figures == 0 && words::without(around.sentence) {
            return Finding::literal(Class::Configuration, "switched off").warning();
        }
        return Finding::untraced(Class::Configuration, why).refuted();
    }
    if let Some(setting) = confirmed(evidence, number, around).filter(|_| !place.change) {
        let why = format!("the setting `{}`", setting.words.join(" "));
        return Finding::literal(Class::Configuration, why).from(setting.source.clone());
    }
    if let Some((_, source)) = setting.filter(|_| told && !place.change) {
        if let Some(why) = word
            .as_ref()
            .filter(|_| set_up && evidence.condition(number, "", false).is_none())
            .and_then(|word| keyed.elsewhere(number, word, around.sentence))
        {
            return Finding::untraced(Class::Configuration, why).refuted();
        }
        let why = match &word {
            Some(word) => format!("a setting, beside `{word}`"),
            None if settled => "a setting, named elsewhere".to_owned(),
            None => "a setting, in a section on the set-up".to_owned(),
        };
        return Finding::literal(Class::Configuration, why).from(source.clone());
    }
    let close = format!(
        "{} {}",
        words::tokens(around.before)
            .map(|(_, word)| word)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .take(3)
            .collect::<Vec<_>>()
            .join(" "),
        words::tokens(around.after)
            .take(3)
            .map(|(_, word)| word)
            .collect::<Vec<_>>()
            .join(" ")
    )
    .to_lowercase();
    let next = words::tokens(around.after).next();
    let things = number.whole && next.is_some_and(|(_, word)| words::things(word));
    let timed = next.is_some_and(|(_, word)| ["s", "ms", "GB", "MB"].contains(&word));
    let measured = !number.unit.is_empty()
        || timed
        || super::scales::rate(around.after)
        || (!things && close.split(' ').any(|word| words::has(MEASURED, word)));
    let counted = number.whole && number.share == Share::None && (!number.about || things);
    if counted && number.value.abs() <= SMALL && !measured {
        let why = "a small count; counts are not checked";
        let finding = Finding::literal(
            if word.is_some() {
                Class::Configuration
            } else {
                Class::Structural
            },
            why,
        );
        return if word.is_some() && evidence.has_settings && setting.is_none() {
            finding.warning()
        } else {
            finding
        };
    }
    if let Some(source) = condition(evidence, number, around) {
        let why = "a condition under which results were measured";
        return Finding::literal(Class::Configuration, why).from(source);
    }
    if let Some(source) = evidence.titled(number, &close).filter(|_| !place.change) {
        let why = "a condition, told in the title of a run";
        return Finding::literal(Class::Configuration, why).from(source);
    }
    let found = match evidence.look(asked) {
        // Beside a word of a setting a result must speak for itself.
        Ok(finding)
            if !measured && {
                // In a section on the set-up a result must be named, or be told by its digits.
                let unnamed = set_up && evidence.has_settings && !asked.strict.speaks(&finding);
                let chance = finding.chance.unwrap_or(1.0);
                // No setting has this value, and the words name what the result is of.
                let spoken = !set_up && setting.is_none() && spoken(asked, &finding);
                (word.is_some() && chance > 0.02 && !spoken) || (unnamed && chance > 0.002)
            } =>
        {
            finding
                .source
                .map(|source| format!("equals {source}, but stands beside a word of a setting"))
        }
        Ok(finding) => return finding,
        Err(found) => found,
    };
    if let Some((_, source)) =
        setting.filter(|_| place.settled && !place.change && number.value.abs() > 1.0)
    {
        return Finding::literal(Class::Configuration, "a setting, named elsewhere")
            .from(source.clone());
    }
    if (word.is_some() || set_up || number.whole)
        && !place.change
        && let Some(how) = evidence.reckoned(number, &close)
    {
        return Finding::new(Class::Configuration, super::entry::Verdict::Derived, how);
    }
    if counted && !measured && words::supposed(around.sentence) {
        let why = "supposed, not done";
        return Finding::literal(Class::Configuration, why).warning();
    }
    if counted && number.figures < 3 && !measured {
        let strong = word.as_deref().is_some_and(|word| {
            !word
                .split('-')
                .any(|part| words::has(LOOSE, part.strip_suffix('s').unwrap_or(part)))
        });
        if strong && evidence.has_settings {
            return Finding::untraced(Class::Configuration, "no setting has this value").warning();
        }
        let class = if word.is_some() {
            Class::Configuration
        } else {
            Class::Structural
        };
        return Finding::literal(class, "a count that nothing explains").warning();
    }
    // A value of several digits that is a setting to the last of them.
    if let Some((_, source)) = setting.filter(|_| {
        number.figures >= 3
            && !place.change
            && number.share == Share::None
            && number.unit.is_empty()
    }) {
        let why = "a setting, by its value alone";
        return Finding::literal(Class::Configuration, why).from(source.clone());
    }
    if counted
        && !measured
        && (word.is_none() || number.figures >= 3)
        && words::of_the_data(around.sentence)
    {
        let why = "a size of the data, of which results and settings say nothing";
        return Finding::literal(Class::Configuration, why).warning();
    }
    let unknown = found.unwrap_or_else(|| "no result and no setting has this value".to_owned());
    if (word.is_some() || set_up) && !measured {
        if !evidence.has_settings {
            return Finding::literal(
                Class::Configuration,
                "a setting, by its words; no settings were given to check it against",
            )
            .warning();
        }
        return Finding::untraced(Class::Configuration, unknown);
    }
    Finding::untraced(Class::Result, unknown)
}

/// The setting that a number of the prose is, by its value and the words around it.
pub(super) fn confirmed<'e>(
    evidence: &'e Evidence,
    number: &Number,
    around: &Around<'_>,
) -> Option<&'e Setting> {
    evidence.keyed.confirms(number, around.before, around.after)
}

/// Whether a number that stands beside a word of change is a setting: `larger models with a rate of 0.1`.
pub(super) fn set(evidence: &Evidence, number: &Number, around: &Around<'_>) -> bool {
    let last = words::tokens(around.before)
        .last()
        .map_or("", |(_, word)| word);
    // Settings without names are known by their values alone.
    let nameless = || {
        evidence.keyed.all.is_empty()
            && !number.whole
            && last == "of"
            && evidence.setting(number).is_some()
    };
    number.share == Share::None
        && last != "by"
        && (last == "of" || words::setting(around.before, around.after).is_some())
        && (confirmed(evidence, number, around).is_some() || nameless())
}

/// `alpha = 0.1`, `at horizon 96`: a number that stands in the results as a condition, with its name before it.
fn condition(evidence: &Evidence, number: &Number, around: &Around<'_>) -> Option<String> {
    if number.share != Share::None || !number.unit.is_empty() {
        return None;
    }
    let word = words::tokens(around.before).last().map(|(_, word)| word)?;
    evidence.condition(number, word, around.before.trim_end().ends_with('='))
}

/// Cells that are settings or count something.
pub(super) fn cell(
    evidence: &Evidence,
    number: &Number,
    cell: &Cell,
    place: &Place<'_>,
) -> Option<Finding> {
    if number.name || number.version {
        return Some(Finding::literal(Class::Name, "part of a name"));
    }
    let index = cell.column == 0 && number.whole && number.share == Share::None;
    let head = cell.columns.to_lowercase();
    let low = format!("{} {}", cell.columns, cell.rows).to_lowercase();
    let measured = head
        .split(|c: char| !c.is_alphanumeric())
        .any(|known| words::has(MEASURED, known));
    let told = words::setting("", &cell.columns).is_some()
        || words::setting("", &cell.rows).is_some()
        || low.contains("hyperparameter")
        || place.section.to_lowercase().contains("hyperparameter")
        || cell.caption.to_lowercase().contains("hyperparameter");
    if let Some((_, source)) = evidence
        .setting(number)
        .filter(|_| (told && !measured) || index)
    {
        return Some(Finding::literal(Class::Configuration, "a setting").from(source.clone()));
    }
    if index {
        return Some(Finding::literal(
            Class::Structural,
            "the first column names its row",
        ));
    }
    None
}

/// A cell that no result explains and whose words say that it is a setting.
pub(super) fn unknown_setting(
    evidence: &Evidence,
    number: &Number,
    cell: &Cell,
) -> Option<Finding> {
    let caption = cell.caption.to_lowercase();
    let low = format!("{} {}", cell.columns, cell.rows).to_lowercase();
    let told =
        words::setting("", &cell.columns).is_some() || words::setting("", &cell.rows).is_some();
    let settings = [
        "hyperparameter",
        "hyper-parameter",
        "setting",
        "configuration",
    ]
    .iter()
    .any(|word| caption.contains(word));
    let head = cell.columns.to_lowercase();
    let measured = head
        .split(|c: char| !c.is_alphanumeric())
        .any(|known| words::has(MEASURED, known));
    if measured || !told {
        return None;
    }
    if let Some(how) = evidence.reckoned(number, &low) {
        return Some(Finding::new(
            Class::Configuration,
            super::entry::Verdict::Derived,
            how,
        ));
    }
    if settings && !evidence.has_settings {
        return Some(
            Finding::literal(
                Class::Configuration,
                "a setting, by its words; no settings were given to check it against",
            )
            .warning(),
        );
    }
    settings.then(|| {
        Finding::untraced(
            Class::Configuration,
            "no result and no setting has this value",
        )
    })
}
