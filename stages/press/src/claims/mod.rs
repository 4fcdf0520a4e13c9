//! The significance gate: a sentence that says *better*, *improves* or *reduces* about compared values is
//! borne out only if the interval of their difference excludes zero at three runs or more on each side,
//! and the difference goes the way that the sentence says. It reads words, not meaning; sentences that
//! hedge, or that refer to no compared value, are let pass.

mod row;
mod sentence;
mod word;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::draft::place::Problem;
use crate::draft::tree::Block;
use crate::numbers::record::{Kind, Number};
use sentence::Sentence;

/// The sentences of a paper that its results do not bear out, each with the values that say so.
pub(crate) fn unborne(parts: &[&[Block]], numbers: &[Number], results: &Value) -> Vec<Problem> {
    parts
        .iter()
        .flat_map(|part| sentence::sentences(part, numbers))
        .filter_map(|sentence| {
            if word::hedges(&sentence.text) {
                return None;
            }
            let claims = word::claims(&sentence.text);
            let changes = sentence.numbers.iter().filter_map(|index| word::change(&numbers[*index]));
            let ways: Vec<word::Claim> = claims.into_iter().chain(changes).collect();
            let first = ways.first()?.clone();
            let rows = row::rows(&sentence, numbers, results);
            if rows.is_empty() {
                return uncompared(&sentence, numbers, &first.word);
            }
            let refuted: Vec<String> = rows
                .into_iter()
                .filter(|row| !ways.iter().any(|claim| row.bears(claim.way)))
                .map(|row| row.told())
                .collect();
            if refuted.is_empty() {
                return None;
            }
            let at = sentence.place(&first.word);
            let message = format!("`{}` is not borne out: {}", first.word, refuted.join("; "));
            Some(Problem::new(at, message).help(
                "say it without the claim (`the difference includes zero`), or with the direction that the values have",
            ))
        })
        .collect()
}

/// Two values that a claim sets against each other although the results hold no comparison of them: then
/// nothing says how far apart they are by chance alone.
fn uncompared(sentence: &Sentence, numbers: &[Number], word: &str) -> Option<Problem> {
    let mut measured = BTreeMap::new();
    for number in sentence.numbers.iter().map(|index| &numbers[*index]) {
        if number.kind == Kind::Cfg || !number.value.is_number() {
            continue;
        }
        if number.inputs.is_empty() {
            measured.insert(number.reference.as_str(), number.n);
        }
        for input in &number.inputs {
            measured.insert(input.reference.as_str(), None);
        }
    }
    // How many runs there were is told beside values, not against them.
    measured.retain(|path, _| path.rsplit('.').next() != Some("n"));
    if measured.len() < 2 {
        return None;
    }
    let told: Vec<String> = measured
        .iter()
        .map(|(path, n)| match n {
            Some(n) => format!("`{path}` (n = {n})"),
            None => format!("`{path}`"),
        })
        .collect();
    let message = format!(
        "`{word}` is not borne out: the results hold no comparison of {}",
        told.join(" and ")
    );
    Some(
        Problem::new(sentence.place(word), message).help(
            "give the `comparison` of `stats/compare` as one of `results`: it has the interval of the difference; or say it without the claim",
        ),
    )
}
