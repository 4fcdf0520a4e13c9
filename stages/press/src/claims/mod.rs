//! The significance gate: a sentence that says *better*, *improves* or *reduces* about compared values is
//! borne out only if the interval of their difference excludes zero at three runs or more on each side,
//! and the difference goes the way that the sentence says. It reads words, not meaning; sentences that
//! hedge, or that refer to no compared value, are let pass.

mod row;
mod sentence;
mod word;

use serde_json::Value;

use crate::draft::place::Problem;
use crate::draft::tree::Block;
use crate::numbers::record::Number;

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
            let refuted: Vec<String> = row::rows(&sentence, numbers, results)
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
