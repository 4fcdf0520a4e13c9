//! `budget:`: what one run may pay.

use super::super::{Budget, OnUnpriced};
use super::file::File;
use super::state::Check;

/// Keys of a budget.
const KEYS: &[&str] = &["usd", "calls", "on_unpriced"];

const ON_UNPRICED: &[(&str, OnUnpriced)] =
    &[("refuse", OnUnpriced::Refuse), ("allow", OnUnpriced::Allow)];

/// Reads `budget:`.
pub(super) fn budget(check: &mut Check<'_>, file: &File) -> Budget {
    let mut budget = Budget::default();
    let Some(entry) = file.entry("budget") else {
        return budget;
    };
    let mut form = check.form();
    let entries = form.map(&entry.node, "budget");
    form.keys(entries, KEYS, "`budget`");
    for part in entries {
        let node = &part.node;
        match part.key.as_str() {
            "usd" => {
                let usd = node.value().as_f64().filter(|usd| *usd >= 0.0);
                if usd.is_none() {
                    form.expected(node, "usd", "an amount of US dollars");
                }
                budget.usd = usd;
            }
            "calls" => budget.calls = form.whole(node, "calls").map(u64::from),
            "on_unpriced" => {
                let word = form.choice(node, "on_unpriced", ON_UNPRICED);
                budget.on_unpriced = word.unwrap_or_default();
            }
            _ => {}
        }
    }
    budget
}
